import type { ChatCall } from '../call/chat-call.ts';
import { observeResponse } from '../call/observed-response.ts';
import { observeIteratorFunction } from '../call/observed-stream.ts';
import { quietly } from '../host/quietly.ts';
import { isPatched, replaceMethod } from './patching.ts';

/** On what `makeRequest` gives: the call it belongs to. A WeakMap here slows every collection. */
const TRACKED: unique symbol = Symbol('otel-token-meter call');

/** What `makeRequest` resolves to, as far as it is needed. The same object reaches the parse step. */
export interface RequestProps {
  readonly response: object;
  [TRACKED]?: Tracked;
}

interface Tracked {
  /** Undefined once parsing has begun: the response is not to keep alive what is over. */
  call: ChatCall | undefined;
  /** The caller has the raw response. */
  handedOut: boolean;
}

export interface ApiPromise {
  parseResponse?: unknown;
  readonly responsePromise?: unknown;
}

export type Method<A extends unknown[], R> = (this: unknown, ...args: A) => R;
export type Parse = (...args: unknown[]) => Promise<unknown>;

/** The response has arrived; the call ends with its body. */
export function track(props: RequestProps, call: ChatCall): void {
  props[TRACKED] = { call, handedOut: false };
  call.arrived(props.response);
}

/**
 * Watches what a request gives its caller: `asResponse`, and with `ownParse` the parse step, which is a
 * property of the promise. The class of these promises is seen first here; not all of the SDKs export it.
 */
export function observePromise(promise: ApiPromise, ownParse: boolean): void {
  const promises = Object.getPrototypeOf(promise) as object;
  if (!isPatched(promises, 'asResponse') && Object.hasOwn(promises, 'asResponse')) {
    replaceMethod<Method<[], Promise<object>>>(promises, 'asResponse', observeRawResponse);
  }
  const parse = promise.parseResponse;
  if (!ownParse || typeof parse !== 'function') return;
  promise.parseResponse = observedParse(promise, parse as Parse);
}

function observedParse(promise: ApiPromise, parse: Parse): Parse {
  return (...props) => observeParsing(() => parse.apply(promise, props), props);
}

/** The last argument is what `makeRequest` gave (openai 4 passes nothing else). */
export function observeParsing(
  parse: () => Promise<unknown>,
  args: readonly unknown[],
): Promise<unknown> {
  const entry = (args.at(-1) as RequestProps | undefined)?.[TRACKED];
  const call = entry?.call;
  if (entry === undefined || call === undefined) return parse();
  entry.call = undefined;
  call.reading();
  return parse().then(
    (value) => {
      quietly('watching a reply', () => takeParsed(value, call));
      return value;
    },
    (error: unknown) => {
      call.failed(error);
      throw error;
    },
  );
}

/** `withResponse()` of most versions asks for the raw response too, when the body is being parsed. */
function observeRawResponse(original: Method<[], Promise<object>>): Method<[], Promise<object>> {
  return function asResponse(this: unknown) {
    const response = original.call(this);
    return Promise.all([response, (this as ApiPromise).responsePromise]).then(([given, props]) => {
      const entry = (props as RequestProps)[TRACKED];
      const call = entry?.call;
      if (entry !== undefined && call !== undefined && !entry.handedOut) {
        entry.handedOut = true;
        quietly('watching a response', () =>
          observeResponse(given, call, () => entry.call === undefined),
        );
      }
      return given;
    });
  };
}

function takeParsed(value: unknown, call: ChatCall): void {
  if (typeof value === 'object' && value !== null) {
    const { iterator, arrayBuffer } = value as Readonly<Record<string, unknown>>;
    if (typeof iterator === 'function') {
      observeIteratorFunction(value as { iterator: () => unknown }, call);
      return;
    }
    if (typeof arrayBuffer === 'function') {
      observeResponse(value, call, () => false);
      // Of audio the caller gets the response itself, and its body arrives as he reads it.
      call.arrived(value);
      return;
    }
  }
  call.complete(value);
}
