import type { ChatCall } from '../../call/chat-call.ts';
import { observeReadableStream } from '../../call/observed-readable.ts';
import { observeGenerator } from '../../call/observed-stream.ts';
import { quietly } from '../../host/quietly.ts';
import { workInSlices } from '../../call/sliced-work.ts';
import { recordResult } from '../batch/batch-results.ts';
import { meterPromise, resumePromise, serverAt } from '../metered-promise.ts';
import { exportedPrototype, isPatched, ownerOf, replaceMethod } from '../patching.ts';
import { fields, text } from '../../tokens/json.ts';
import type { CallShape } from '../../domain/call-shape.ts';
import type { MakeRefusal } from '../refused-call.ts';
import type { CurrentMeter, PatchOutcome, SdkPatch } from '../sdk-patch.ts';
import { googleBatchResults } from './batch-job.ts';
import { interaction } from './interaction.ts';
import { patchLive } from './live/live.ts';
import { embedContent, generateContent, generateContentStream, generateImages } from './shapes.ts';

/** `Models` of @google/genai; its public methods are own arrow fields that all end in these. */
interface Models {
  readonly apiClient?: { isVertexAI?: () => boolean; getBaseUrl?: () => string };
}
interface Interactions {
  readonly parentClient?: Models['apiClient'];
}
type Create = (this: Interactions, params: unknown, ...rest: unknown[]) => Promise<unknown>;
type ById = (this: Interactions, id: unknown, ...rest: unknown[]) => Promise<unknown>;
type Method = (this: Models, params: unknown) => Promise<unknown>;

const METHODS: readonly (readonly [name: string, shape: CallShape])[] = [
  ['generateContentInternal', generateContent],
  ['generateContentStreamInternal', generateContentStream],
  ['embedContentInternal', embedContent],
  ['generateImagesInternal', generateImages],
  ['editImageInternal', generateImages],
  ['upscaleImageInternal', generateImages],
];

/**
 * Each automatic tool round and each automatic continuation is a request of its own with usage of its
 * own, so the internal methods are metered, never the public ones around them.
 */
export const google: SdkPatch = {
  moduleName: '@google/genai',
  testedMajors: [2, 3],
  entries: [{ name: 'web' }, { name: 'node' }],
  patch(moduleExports: unknown, meter: CurrentMeter): PatchOutcome {
    const prototype = exportedPrototype(moduleExports, ['Models']) as object | undefined;
    if (prototype === undefined || !('generateContentInternal' in prototype)) return 'unfit';
    if (isPatched(prototype, 'generateContentInternal')) return 'already-patched';
    const refusal = refusalOf(moduleExports);
    for (const [name, shape] of METHODS) {
      if (!Object.hasOwn(prototype, name)) continue;
      replaceMethod<Method>(prototype, name, (original) =>
        meteredMethod(original, shape, meter, refusal),
      );
    }
    const { Batches } = moduleExports as { readonly Batches?: { readonly prototype: object } };
    if (Batches !== undefined && Object.hasOwn(Batches.prototype, 'get')) {
      replaceMethod<Method>(Batches.prototype, 'get', (original) => watchedBatch(original, meter));
    }
    quietly('patching live sessions', () => patchLive(moduleExports, meter, refusal));
    const interactions = ownerOf(interactionsOf(moduleExports), 'create');
    if (interactions !== undefined && !isPatched(interactions, 'create')) {
      replaceMethod<Create>(interactions, 'create', (original) =>
        meteredCreate(original, meter, refusal),
      );
      for (const name of ['get', 'cancel']) {
        if (!Object.hasOwn(interactions, name)) continue;
        replaceMethod<ById>(interactions, name, (original) => resumedInteraction(original, meter));
      }
    }
    return 'patched';
  },
};

/** Its class is not exported: it is reached through a client made for this, which opens no connection. */
function interactionsOf(moduleExports: unknown): unknown {
  return quietly('reading @google/genai', () => {
    const { GoogleGenAI } = moduleExports as { GoogleGenAI?: new (options: object) => object };
    const client = GoogleGenAI && new GoogleGenAI({ apiKey: 'unused', vertexai: false });
    return (client as { readonly interactions?: unknown } | undefined)?.interactions;
  });
}

/** Automatic continuation is inside: the SDK adds up the usage of a reply it has continued. */
function meteredCreate(original: Create, meter: CurrentMeter, refusal: MakeRefusal): Create {
  return function create(
    this: Interactions,
    params: unknown,
    ...rest: unknown[]
  ): Promise<unknown> {
    return meterPromise(
      meter,
      () => ({
        provider: providerOf(this.parentClient),
        shape: interaction,
        request: params,
        ...serverAt(this.parentClient?.getBaseUrl?.()),
      }),
      () => original.call(this, params, ...rest),
      watchInteraction,
      refusal,
    );
  };
}

/** The reply of a call with `background: true`, or what became of it. */
function resumedInteraction(original: ById, meter: CurrentMeter): ById {
  return function (this: Interactions, id: unknown, ...rest: unknown[]): Promise<unknown> {
    const invoke = (): Promise<unknown> => original.call(this, id, ...rest);
    return resumePromise(meter, id, invoke, watchInteraction);
  };
}

/** A job that has ended holds the results of requests that were sent inline. */
function watchedBatch(original: Method, meter: CurrentMeter): Method {
  return function get(this: Models, params: unknown): Promise<unknown> {
    const reply = original.call(this, params);
    if (meter() === undefined) return reply;
    return reply.then((job) => {
      quietly('watching a batch', () => {
        const source = {
          provider: providerOf(this.apiClient),
          ...serverAt(this.apiClient?.getBaseUrl?.()),
          batchId: text(fields(job)['name']) ?? '',
        };
        workInSlices(
          recorded(googleBatchResults(job), (result) => recordResult(meter, source, result)),
        );
      });
      return job;
    });
  };
}

function* recorded<T>(results: Iterable<T>, record: (result: T) => void): Generator<void> {
  for (const result of results) yield record(result);
}

function providerOf(client: Models['apiClient']): string {
  return client?.isVertexAI?.() === true ? 'gcp.vertex_ai' : 'gcp.gemini';
}

function watchInteraction(reply: unknown, call: ChatCall): void {
  if (!observeReadableStream(reply, call)) {
    call.complete(reply);
  }
}

function refusalOf(moduleExports: unknown): MakeRefusal {
  const { ApiError } = moduleExports as {
    readonly ApiError?: new (options: object) => Error;
  };
  return ({ status, message }) => ApiError && new ApiError({ status, message });
}

function meteredMethod(
  original: Method,
  shape: CallShape,
  meter: CurrentMeter,
  refusal: MakeRefusal,
): Method {
  return function (this: Models, params: unknown): Promise<unknown> {
    return meterPromise(
      meter,
      () => ({
        provider: providerOf(this.apiClient),
        shape,
        request: params,
        ...serverAt(this.apiClient?.getBaseUrl?.()),
      }),
      () => original.call(this, params),
      shape === generateContentStream ? watchStream : watchReply,
      refusal,
    );
  };
}

function watchReply(reply: unknown, call: ChatCall): void {
  call.complete(reply);
}

function watchStream(reply: unknown, call: ChatCall): void {
  observeGenerator(reply as AsyncGenerator<unknown, unknown, unknown>, call);
}
