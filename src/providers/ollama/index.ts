import type { ChatCall } from '../../call/chat-call.ts';
import { observeGenerator } from '../../call/observed-stream.ts';
import { meterPromise, serverAt } from '../metered-promise.ts';
import { exportedPrototype, isPatched, ownerOf, replaceMethod } from '../patching.ts';
import type { CallShape } from '../../domain/call-shape.ts';
import type { MakeRefusal } from '../refused-call.ts';
import type { CurrentMeter, PatchOutcome, SdkPatch } from '../sdk-patch.ts';
import { chat, embed, generate } from './shapes.ts';

interface Client {
  readonly config?: { readonly host?: unknown };
}
type Process = (this: Client, endpoint: string, request: unknown) => Promise<unknown>;
type Embed = (this: Client, request: unknown) => Promise<unknown>;

/** Other endpoints (create, pull, push) are no model calls. */
const SHAPES: Readonly<Record<string, CallShape | undefined>> = { chat, generate };

/** The Node class inherits from the browser's, whose prototype both builds and the default client use. */
export const ollama: SdkPatch = {
  moduleName: 'ollama',
  testedMajors: [0, 0],
  entries: [{ name: 'browser', file: 'dist/browser.cjs' }],
  patch(moduleExports: unknown, meter: CurrentMeter): PatchOutcome {
    const start = exportedPrototype(moduleExports, ['Ollama']);
    const owner = ownerOf(start, 'processStreamableRequest');
    if (owner === undefined) return 'unfit';
    if (isPatched(owner, 'processStreamableRequest')) return 'already-patched';
    replaceMethod<Process>(owner, 'processStreamableRequest', (original) =>
      meteredProcess(original, meter),
    );
    const embedOwner = ownerOf(start, 'embed');
    if (embedOwner !== undefined) {
      replaceMethod<Embed>(embedOwner, 'embed', (original) => meteredEmbed(original, meter));
    }
    return 'patched';
  },
};

function meteredProcess(original: Process, meter: CurrentMeter): Process {
  return function (this: Client, endpoint: string, request: unknown): Promise<unknown> {
    const shape = Object.hasOwn(SHAPES, endpoint) ? SHAPES[endpoint] : undefined;
    return meterPromise(
      meter,
      () => shape && { provider: 'ollama', shape, request, ...serverAt(this.config?.host) },
      () => original.call(this, endpoint, request),
      watch,
      responseError,
    );
  };
}

function meteredEmbed(original: Embed, meter: CurrentMeter): Embed {
  return function (this: Client, request: unknown): Promise<unknown> {
    return meterPromise(
      meter,
      () => ({ provider: 'ollama', shape: embed, request, ...serverAt(this.config?.host) }),
      () => original.call(this, request),
      (reply, call) => call.complete(reply),
      responseError,
    );
  };
}

/** A stream reads its lines from `itr`, whichever way it is itself read. */
function watch(reply: unknown, call: ChatCall): void {
  const { itr } = (reply ?? {}) as { itr?: AsyncGenerator<unknown, unknown, unknown> };
  if (typeof itr?.next === 'function') observeGenerator(itr, call);
  else call.complete(reply);
}

/** In the form of the SDK's class of errors, which it does not export. */
const responseError: MakeRefusal = ({ status, message }) =>
  Object.assign(new Error(message), {
    name: 'ResponseError',
    error: message,
    status_code: status,
  });
