import type { ChatCall } from '../call/chat-call.ts';
import { observeAsyncIterable } from '../call/observed-stream.ts';
import type { CallShape } from '../domain/call-shape.ts';
import { meterPromise, serverAt } from './metered-promise.ts';
import { replaceMethod } from './patching.ts';
import type { MakeRefusal } from './refused-call.ts';
import type { CurrentMeter } from './sdk-patch.ts';

interface Client {
  readonly _options?: { readonly baseUrl?: unknown; readonly environment?: unknown };
}
/** What the public method's `HttpResponsePromise` is made of. */
interface Answer {
  readonly data: unknown;
}
type Method = (this: Client, request: unknown, ...rest: unknown[]) => Promise<Answer>;

/** By the name of the method. */
export type FernMethods = Readonly<Record<string, CallShape>>;

/**
 * SDKs that one generator made, Cohere and Voyage: each public method ends in a private one of its name behind two
 * underscores, which is looked up on the prototype at each call. Those that a version lacks are passed over.
 */
export function patchFernMethods(
  owner: object,
  methods: FernMethods,
  {
    provider,
    meter,
    refusal,
  }: { readonly provider: string; readonly meter: CurrentMeter; readonly refusal?: MakeRefusal },
): void {
  for (const [name, shape] of Object.entries(methods)) {
    if (!Object.hasOwn(owner, name)) continue;
    replaceMethod<Method>(
      owner,
      name,
      (original) =>
        function (this: Client, request: unknown, ...rest: unknown[]): Promise<Answer> {
          return meterPromise(
            meter,
            () => ({
              provider,
              shape,
              request,
              ...serverAt(this._options?.baseUrl ?? this._options?.environment),
            }),
            () => original.call(this, request, ...rest),
            watch,
            refusal,
          );
        },
    );
  }
}

function watch({ data }: Answer, call: ChatCall): void {
  if (typeof data === 'object' && data !== null && Symbol.asyncIterator in data) {
    observeAsyncIterable(data as AsyncIterable<unknown>, call);
  } else call.complete(data);
}
