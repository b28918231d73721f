import type { ChatCall } from '../../call/chat-call.ts';
import { observeAsyncIterable } from '../../call/observed-stream.ts';
import { quietly } from '../../host/quietly.ts';
import { meterPromise, serverAt } from '../metered-promise.ts';
import { isPatched, ownerOf, replaceMethod } from '../patching.ts';
import type { CallShape } from '../../domain/call-shape.ts';
import type { MakeRefusal } from '../refused-call.ts';
import type { CurrentMeter, PatchOutcome, SdkPatch } from '../sdk-patch.ts';
import { streamed } from '../streamed.ts';
import { chat, embed, legacyChat, legacyGenerate, rerank } from './shapes.ts';

interface Client {
  readonly _options?: { readonly baseUrl?: unknown; readonly environment?: unknown };
}
/** What the public method's `HttpResponsePromise` is made of. */
interface Answer {
  readonly data: unknown;
}
type Method = (this: Client, request: unknown, ...rest: unknown[]) => Promise<Answer>;

const V2: Readonly<Record<string, CallShape>> = {
  __chat: chat,
  __chatStream: streamed(chat),
  __embed: embed,
  __rerank: rerank,
};
const V1: Readonly<Record<string, CallShape>> = {
  __chat: legacyChat,
  __chatStream: streamed(legacyChat),
  __generate: legacyGenerate,
  __generateStream: streamed(legacyGenerate),
  __summarize: legacyGenerate,
  __embed: embed,
  __rerank: rerank,
};

/**
 * Public methods are bound when a client is made; the private ones they call are looked up on the
 * prototype, so clients made earlier are metered too. `V2Client` is not exported: its prototype is
 * reached through a client made for this, which opens no connection.
 */
export const cohere: SdkPatch = {
  moduleName: 'cohere-ai',
  testedMajors: [7, 8],
  patch(moduleExports: unknown, meter: CurrentMeter): PatchOutcome {
    const client = quietly('reading cohere-ai', () => probe(moduleExports));
    const v2 = ownerOf(client?.v2, '__chat');
    if (v2 === undefined) return 'unfit';
    if (isPatched(v2, '__chat')) return 'already-patched';
    const refusal = refusalOf(moduleExports);
    patchMethods(v2, V2, meter, refusal);
    const v1 = ownerOf(client, '__chat');
    if (v1 !== undefined) patchMethods(v1, V1, meter, refusal);
    return 'patched';
  },
};

function probe(moduleExports: unknown): { readonly v2?: unknown } | undefined {
  const { CohereClient } = (moduleExports ?? {}) as {
    CohereClient?: new (options: object) => { readonly v2?: unknown };
  };
  return typeof CohereClient === 'function' ? new CohereClient({ token: 'unused' }) : undefined;
}

function patchMethods(
  owner: object,
  methods: Readonly<Record<string, CallShape>>,
  meter: CurrentMeter,
  refusal: MakeRefusal,
): void {
  for (const [name, shape] of Object.entries(methods)) {
    if (!Object.hasOwn(owner, name)) continue;
    replaceMethod<Method>(owner, name, (original) => metered(original, shape, meter, refusal));
  }
}

function refusalOf(moduleExports: unknown): MakeRefusal {
  const { Cohere } = moduleExports as {
    readonly Cohere?: { readonly TooManyRequestsError?: new (body: unknown) => Error };
  };
  const TooManyRequests = Cohere?.TooManyRequestsError;
  return ({ message }) => TooManyRequests && new TooManyRequests({ message });
}

function metered(
  original: Method,
  shape: CallShape,
  meter: CurrentMeter,
  refusal: MakeRefusal,
): Method {
  return function (this: Client, request: unknown, ...rest: unknown[]): Promise<Answer> {
    return meterPromise(
      meter,
      () => ({
        provider: 'cohere',
        shape,
        request,
        ...serverAt(this._options?.baseUrl ?? this._options?.environment),
      }),
      () => original.call(this, request, ...rest),
      watch,
      refusal,
    );
  };
}

function watch({ data }: Answer, call: ChatCall): void {
  if (typeof data === 'object' && data !== null && Symbol.asyncIterator in data) {
    observeAsyncIterable(data as AsyncIterable<unknown>, call);
  } else call.complete(data);
}
