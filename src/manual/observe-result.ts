import type { ChatCall } from '../call/chat-call.ts';
import { followed } from '../call/followed.ts';
import { UnwatchableReply } from '../call/unwatchable-reply.ts';
import { observeNodeStream } from '../call/observed-node-stream.ts';
import { observeReadableStream } from '../call/observed-readable.ts';
import { observeResponse } from '../call/observed-response.ts';
import { observeAsyncIterable, observeGenerator, type Within } from '../call/observed-stream.ts';
import { observeStreamResult } from '../providers/vercel-ai/stream-result.ts';

export interface ResultObserver {
  readonly call: ChatCall;
  /** Told the value itself, before it is read. */
  readonly onValue: (value: unknown, streamed: boolean) => void;
  /** Whether others may have the promise that is the result. */
  readonly isShared: boolean;
}

/**
 * Observes what a wrapped function returned and returns it: the same object, except for the promise of an async
 * function, which is replaced by one with the same value or error.
 */
export function observeResult<T>(result: T, observer: ResultObserver): T {
  const { call, isShared } = observer;
  return followed(result, {
    onValue: (value) => observeValue(value, observer),
    onError: (error) => call.failed(error),
    onLazy: (promise) => call.arrived(promise),
    onUnwatchable: () => call.failed(new UnwatchableReply()),
    isShared,
  });
}

function observeValue(value: unknown, { call, onValue }: ResultObserver): void {
  const isObject = typeof value === 'object' && value !== null;
  if (isObject && !call.ended && observeStreamResult(value, call)) {
    onValue(undefined, true);
    return;
  }
  const streamed = isObject && Symbol.asyncIterator in value;
  onValue(value, streamed);
  if (!streamed) {
    if (call.ended) return;
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
