import type { ChatCall } from '../../call/chat-call.ts';
import { observeGenerator } from '../../call/observed-stream.ts';
import { meterPromise, serverAt } from '../metered-promise.ts';
import { exportedPrototype, isPatched, replaceMethod } from '../patching.ts';
import type { CallShape, CurrentMeter, PatchOutcome, SdkPatch } from '../provider.ts';
import { embedContent, generateContent, generateContentStream } from './shapes.ts';

/** `Models` of @google/genai; its public methods are own arrow fields that all end in these. */
interface Models {
  readonly apiClient?: { isVertexAI?: () => boolean; getBaseUrl?: () => string };
}
type Method = (this: Models, params: unknown) => Promise<unknown>;

const METHODS: readonly (readonly [name: string, shape: CallShape])[] = [
  ['generateContentInternal', generateContent],
  ['generateContentStreamInternal', generateContentStream],
  ['embedContentInternal', embedContent],
];

/**
 * Each automatic tool round and each automatic continuation is a request of its own with usage of its
 * own, so the internal methods are metered, never the public ones around them.
 */
export const google: SdkPatch = {
  moduleName: '@google/genai',
  testedMajors: [2, 3],
  patch(moduleExports: unknown, meter: CurrentMeter): PatchOutcome {
    const prototype = exportedPrototype(moduleExports, ['Models']) as object | undefined;
    if (prototype === undefined || !('generateContentInternal' in prototype)) return 'unfit';
    if (isPatched(prototype, 'generateContentInternal')) return 'already-patched';
    for (const [name, shape] of METHODS) {
      if (!Object.hasOwn(prototype, name)) continue;
      replaceMethod<Method>(prototype, name, (original) => meteredMethod(original, shape, meter));
    }
    return 'patched';
  },
};

function meteredMethod(original: Method, shape: CallShape, meter: CurrentMeter): Method {
  return function (this: Models, params: unknown): Promise<unknown> {
    return meterPromise(
      meter,
      () => ({
        provider: this.apiClient?.isVertexAI?.() === true ? 'gcp.vertex_ai' : 'gcp.gemini',
        shape,
        request: params,
        ...serverAt(this.apiClient?.getBaseUrl?.()),
      }),
      () => original.call(this, params),
      shape === generateContentStream ? watchStream : watchReply,
    );
  };
}

function watchReply(reply: unknown, call: ChatCall): void {
  call.complete(reply);
}

function watchStream(reply: unknown, call: ChatCall): void {
  observeGenerator(reply as AsyncGenerator<unknown, unknown, unknown>, call);
}
