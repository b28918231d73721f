import type { ChatCall } from '../call/chat-call.ts';
import { observeNodeStream } from '../call/observed-node-stream.ts';
import { observeReadableStream } from '../call/observed-readable.ts';
import { observeResponse } from '../call/observed-response.ts';
import { observeAsyncIterable, observeGenerator, type Within } from '../call/observed-stream.ts';
import { setOwn } from '../host/own-property.ts';
import { quietly } from '../host/quietly.ts';
import { observeStreamResult } from './stream-result.ts';

export interface ResultObserver {
  readonly call: ChatCall;
  /** Gets the value itself, before it is read. */
  readonly onValue: (value: unknown, streamed: boolean) => void;
}

/**
 * Watches what a wrapped function returned and gives it back: the same object, but for a plain promise,
 * which is followed by one with the same value or error.
 */
export function observeResult<T>(result: T, observer: ResultObserver): T {
  if (!isThenable(result)) {
    quietly('watching a result', () => observeValue(result, observer));
    return result;
  }
  if (Object.getPrototypeOf(result) === Promise.prototype) {
    return result.then(
      (value) => {
        quietly('watching a result', () => observeValue(value, observer));
        return value;
      },
      (error: unknown) => {
        observer.call.failed(error);
        throw error;
      },
    ) as T;
  }
  observeThenable(result, observer);
  return result;
}

type Then = PromiseLike<unknown>['then'];

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as { then?: unknown }).then === 'function'
  );
}

/**
 * A promise with methods of its own (`withResponse()` …) must stay itself, and may do its work only
 * when `then` is called: so its `then` is observed, and never called from here.
 */
function observeThenable(promise: PromiseLike<unknown>, observer: ResultObserver): void {
  const then = promise.then.bind(promise) as Then;
  let seen = false;
  const once = (look: () => void): void => {
    if (seen) return;
    seen = true;
    quietly('watching a result', look);
  };
  setOwn(
    promise,
    'then',
    (
      onValue?: ((value: unknown) => unknown) | null,
      onError?: ((error: unknown) => unknown) | null,
    ): PromiseLike<unknown> =>
      then(
        (value) => {
          once(() => observeValue(value, observer));
          return typeof onValue === 'function' ? onValue(value) : value;
        },
        (error: unknown) => {
          once(() => observer.call.failed(error));
          if (typeof onError === 'function') return onError(error);
          throw error;
        },
      ),
  );
  observer.call.arrived(promise);
}

function observeValue(value: unknown, { call, onValue }: ResultObserver): void {
  if (typeof value === 'object' && value !== null && observeStreamResult(value, call)) {
    onValue(undefined, true);
    return;
  }
  const streamed = typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
  onValue(value, streamed);
  if (!streamed) {
    if (value instanceof Response) observeResponse(value, call, () => false);
    else call.complete(value);
    return;
  }
  const within: Within = (step) => call.run(step);
  if (observeNodeStream(value, call, within) || observeReadableStream(value, call, within)) return;
  if (typeof (value as { next?: unknown }).next === 'function') {
    observeGenerator(value as AsyncGenerator<unknown, unknown, unknown>, call, within);
  } else observeAsyncIterable(value as AsyncIterable<unknown>, call, within);
}
