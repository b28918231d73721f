import { setOwn } from '../host/own-property.ts';
import type { ReplySink } from './reply-sink.ts';

type AnyIterator = AsyncIterator<unknown, unknown, unknown>;

/**
 * Runs a step of the reader in the Context of the call. Given where the reply may be made only as it is
 * read: the body of a generator runs in the Context of whoever asks for its next value.
 */
export type Within = <T>(step: () => T) => T;

/** `step` run within, if anything is to be; its arguments pass through, as the view of a BYOB reader. */
export function stepWithin<Args extends unknown[], T>(
  step: (...args: Args) => T,
  within: Within | undefined,
): (...args: Args) => T {
  return within === undefined ? step : (...args) => within(() => step(...args));
}

/** Which of several iterators of one stream is the reader; the others are the SDK's to refuse. */
interface Reader {
  current: AnyIterator | undefined;
}

/**
 * Watches an SDK stream whose every way of reading goes through an own `iterator` function
 * (openai, Anthropic, Groq, Together). The stream object, its class and helpers stay as they are.
 */
export function observeIteratorFunction(
  stream: { iterator: () => unknown },
  sink: ReplySink,
): void {
  const makeIterator = stream.iterator;
  const reader: Reader = { current: undefined };
  Object.defineProperty(stream, 'iterator', {
    ...Object.getOwnPropertyDescriptor(stream, 'iterator'),
    value: function iterator(this: unknown, ...args: []): unknown {
      return observeIterator(makeIterator.apply(this, args) as AnyIterator, sink, reader);
    },
  });
  sink.arrived(stream);
}

/** Watches an object that is read by its own or inherited `[Symbol.asyncIterator]`. */
export function observeAsyncIterable(
  stream: AsyncIterable<unknown>,
  sink: ReplySink,
  within?: Within,
): void {
  const makeIterator = stream[Symbol.asyncIterator];
  const reader: Reader = { current: undefined };
  Object.defineProperty(stream, Symbol.asyncIterator, {
    configurable: true,
    enumerable: Object.getOwnPropertyDescriptor(stream, Symbol.asyncIterator)?.enumerable ?? false,
    writable: true,
    value: function asyncIterator(this: unknown, ...args: []): unknown {
      return observeIterator(makeIterator.apply(this as never, args), sink, reader, within);
    },
  });
  sink.arrived(stream);
}

/** Watches a generator that was handed out as the reply itself. */
export function observeGenerator(generator: AnyIterator, sink: ReplySink, within?: Within): void {
  observeIterator(generator, sink, { current: undefined }, within);
  sink.arrived(generator);
}

/**
 * Puts own `next`, `return` and `throw` on the iterator. Each returns a promise that follows the
 * iterator's own, so a rejection nobody awaits is still an unhandled rejection.
 */
function observeIterator(
  iterator: AnyIterator,
  sink: ReplySink,
  reader: Reader,
  within?: Within,
): AnyIterator {
  const next = stepWithin(iterator.next.bind(iterator), within);
  // Made once, not for each step.
  const taken = (result: IteratorResult<unknown, unknown>): IteratorResult<unknown, unknown> => {
    if (result.done === true) sink.streamEnded(true);
    else sink.event(result.value);
    return result;
  };
  const failed = (error: unknown): never => {
    sink.failed(error);
    throw error;
  };
  setOwn(iterator, 'next', (...args: [] | [unknown]) => {
    if (reader.current === undefined) {
      reader.current = iterator;
      sink.reading(iterator);
    }
    const step = next(...args);
    return reader.current !== iterator || sink.ended ? step : step.then(taken, failed);
  });
  const stop = iterator.return?.bind(iterator);
  if (stop !== undefined) {
    setOwn(iterator, 'return', (...args: [] | [unknown]) => {
      if (reader.current === undefined || reader.current === iterator) sink.streamEnded();
      return stop(...args);
    });
  }
  const raise = iterator.throw?.bind(iterator);
  if (raise !== undefined) {
    setOwn(iterator, 'throw', (error: unknown) => {
      if (reader.current === undefined || reader.current === iterator) sink.streamEnded();
      return raise(error);
    });
  }
  return iterator;
}
