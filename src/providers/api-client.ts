import { AsyncLocalStorage } from 'node:async_hooks';
import type { Span } from '@opentelemetry/api';
import type { CallMeter } from '../call/call-meter.ts';
import type { ChatCall } from '../call/chat-call.ts';
import { quietly } from '../host/quietly.ts';
import { exportedOwner, isPatched, replaceMethod } from './patching.ts';
import { resumePromise } from './metered-promise.ts';
import { peerSpanOf } from './peer-span.ts';
import { refusedCall } from './refused-call.ts';
import { type BatchResults, batchWatcher } from './batch/observed-batch.ts';
import { gatewayCost } from './gateway-cost.ts';
import type { CallShape } from '../domain/call-shape.ts';
import {
  type ApiPromise,
  type Method,
  observeParsing,
  observePromise,
  type Parse,
  type RequestProps,
  track,
} from './api-reply.ts';
import type { CurrentMeter, PatchOutcome } from './sdk-patch.ts';
import { fields, text, type JsonObject } from '../tokens/json.ts';
import { serverOf } from './server.ts';

/** What differs between the SDKs that one generator made: openai, Anthropic, Groq, Together. */
export interface ApiClientSdk {
  /** `gen_ai.provider.name` for a client with this base URL. */
  readonly provider: (host: string, client: JsonObject) => string;
  /** The kind of call behind a path (without query), or undefined when it is none. */
  readonly shape: (path: string, body: unknown) => CallShape | undefined;
  /** Model of a client that names it for all its calls; for requests that name none. */
  readonly model?: (client: JsonObject) => string | undefined;
  /** Id of the reply that a path fetches or cancels, where replies may be made in the background. */
  readonly fetches?: (path: string, method: unknown) => string | undefined;
  /** Results of batches, where they can be fetched as a file of lines. */
  readonly batch?: BatchResults;
  /** Conversation named in the request's options rather than in its body. */
  readonly conversationId?: (options: JsonObject) => string | undefined;
}

/**
 * The request that is being sent: a retry calls `makeRequest` with it again. That a number of retries is
 * given proves nothing, since an application may say it itself: `client.request(options, 2)`.
 */
const sending = new AsyncLocalStorage<unknown>();

/** Of every client of these SDKs. */
interface ErrorMaker {
  makeStatusError?(status: number, body: unknown, message: string, headers: Headers): unknown;
}

type MakeRequest = Method<
  [options: unknown, retries: unknown, ...rest: unknown[]],
  Promise<unknown>
>;

/**
 * Path of a call in these SDKs: resource method → `request` → `makeRequest` → parse step, the last one
 * only when the caller asks for the body. Four places see everything and change nothing: `makeRequest`
 * (start, errors), the parse step (reply or stream), the stream's `iterator`, and `asResponse` (a body
 * that the caller reads himself).
 */
export function patchApiClient(
  moduleExports: unknown,
  sdk: ApiClientSdk,
  meter: CurrentMeter,
): PatchOutcome {
  const owner = exportedOwner(moduleExports, 'makeRequest');
  if (owner === undefined) return 'unfit';
  if (isPatched(owner, 'makeRequest')) return 'already-patched';
  const parsedByClient = Object.hasOwn(owner, 'parseResponseWithTimeout');
  if (!Object.hasOwn(owner, 'request')) return 'unfit';

  replaceMethod<MakeRequest>(owner, 'makeRequest', (original) => meteredRequest(original));
  if (parsedByClient) {
    // openai from 7.5 on: the promise's own parse step ends here, whichever way it is composed.
    replaceMethod<Parse>(
      owner,
      'parseResponseWithTimeout',
      (original) =>
        function parseResponseWithTimeout(this: unknown, ...args) {
          return observeParsing(() => original.apply(this, args), args);
        },
    );
  }
  replaceMethod<Method<unknown[], ApiPromise>>(
    owner,
    'request',
    (original) =>
      function request(this: unknown, ...args) {
        const promise = original.apply(this, args);
        quietly('watching a promise', () => observePromise(promise, !parsedByClient));
        return promise;
      },
  );
  return 'patched';

  function meteredRequest(original: MakeRequest): MakeRequest {
    return function makeRequest(this: unknown, ...args) {
      const [options, retries, , nativeSpan] = args;
      const current = meter();
      if (current === undefined) return original.apply(this, args);
      const invoke = (resolved: unknown): Promise<unknown> => {
        const isAgain = retries !== null && retries !== undefined;
        if (isAgain && sending.getStore() === resolved) return original.apply(this, args);
        const send = (): Promise<unknown> =>
          sending.run(resolved, () => original.apply(this, args));
        const request = fields(resolved);
        const id = quietly('reading a path', () =>
          sdk.fetches?.(pathOf(request), methodOf(request)),
        );
        if (id !== undefined) {
          return resumePromise(meter, id, send, (props, pending) =>
            track(props as RequestProps, pending),
          );
        }
        const watch = quietly('reading a path', () => batchOf(request));
        if (watch !== undefined) {
          return send().then((props) => {
            quietly('watching a batch', () =>
              watch((props as RequestProps).response, meter, sourceOf(fields(this))),
            );
            return props;
          });
        }
        const call = quietly('starting a call', () =>
          start(current, fields(this), request, nativeSpan as Span | undefined),
        );
        if (call?.refusal !== undefined) {
          return Promise.reject(
            refusedCall(call.refusal, ({ status, body, message, headers }) =>
              (this as ErrorMaker).makeStatusError?.(status, body, message, headers),
            ),
          );
        }
        return call === undefined
          ? original.apply(this, args)
          : call.run(send).then(
              (props) => {
                quietly('watching a reply', () => {
                  noteCost((props as RequestProps).response, request, call);
                  track(props as RequestProps, call);
                });
                return props;
              },
              (error: unknown) => {
                call.failed(error);
                throw error;
              },
            );
      };
      // The options may come as a promise; makeRequest itself awaits them before anything else.
      return isThenable(options) ? Promise.resolve(options).then(invoke) : invoke(options);
    };
  }

  function batchOf(request: JsonObject): ReturnType<typeof batchWatcher> {
    return sdk.batch !== undefined && methodOf(request) === 'get'
      ? batchWatcher(sdk.batch, pathOf(request))
      : undefined;
  }

  function sourceOf(client: JsonObject) {
    const { address, port } = serverOf(client['baseURL']);
    return {
      provider: sdk.provider(address ?? '', client),
      serverAddress: address,
      serverPort: port,
    };
  }

  function start(
    current: CallMeter,
    client: JsonObject,
    request: JsonObject,
    span: Span | undefined,
  ): ChatCall | undefined {
    if (methodOf(request) !== 'post') return undefined;
    const { body } = request;
    const shape = sdk.shape(pathOf(request), body);
    if (shape === undefined) return undefined;
    const conversationId = sdk.conversationId?.(request);
    return current.start({
      ...sourceOf(client),
      shape,
      request: body,
      // The body of an upload may be a stream; the SDK keeps the model beside it.
      model:
        fields(body)['model'] === undefined
          ? (sdk.model?.(client) ?? text(fields(request['__metadata'])['model']))
          : undefined,
      usageContext: conversationId === undefined ? undefined : { conversationId },
      nativeSpan: span ?? peerSpanOf(fields(body)['model']),
    });
  }
}

/** Resources say `post`; an application that calls `client.request` may say `POST`. */
function methodOf(request: JsonObject): string {
  return String(request['method']).toLowerCase();
}

function pathOf(request: JsonObject): string {
  const path = String(request['path']);
  const query = path.indexOf('?');
  return query < 0 ? path : path.slice(0, query);
}

/** A header comes before a stream, so it cannot say what the stream cost. */
function noteCost(response: unknown, { stream, body }: JsonObject, call: ChatCall): void {
  if (stream === true || fields(body)['stream'] === true) return;
  const { headers } = fields(response) as { readonly headers?: Headers };
  const cost = gatewayCost(headers?.get('x-litellm-response-cost'));
  if (cost !== undefined) call.costs(cost);
}

function isThenable(value: unknown): boolean {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function';
}
