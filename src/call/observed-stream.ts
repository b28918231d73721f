import { setOwn } from '../host/own-property.ts';
import { quietly } from '../host/quietly.ts';
import { followed, type Follower } from './followed.ts';
import type { ReplySink } from './reply-sink.ts';
import { UnwatchableReply } from './unwatchable-reply.ts';

type Step = (...args: unknown[]) => unknown;

interface AnyIterator {
  readonly next: Step;
  readonly return?: Step;
  readonly throw?: Step;
}

/**
 * Runs a step of the reader in the Context of the call. Given where the reply may be made only as it is
 * read: the body of a generator runs in the Context of its reader.
 */
export type Within = <T>(step: () => T) => T;

/** `step` run within, if anything is to be; its arguments pass through, as the view of a BYOB reader. */
export function stepWithin<Args extends unknown[], T>(
  step: (...args: Args) => T,
  within: Within | undefined,
): (...args: Args) => T {
  return within === undefined ? step : (...args) => within(() => step(...args));
}

/**
 * Watches an SDK stream whose every way of reading goes through an own `iterator` function
 * (openai, Anthropic, Groq, Together). The stream object, its class and helpers stay as they are.
 */
export function observeIteratorFunction(
  stream: { iterator: () => unknown },
  sink: ReplySink,
): void {
  observeMaker(stream, 'iterator', stream.iterator, new StreamReading(stream, sink));
}

/** Watches an object that is read by its own or inherited `[Symbol.asyncIterator]`. */
export function observeAsyncIterable(
  stream: AsyncIterable<unknown>,
  sink: ReplySink,
  within?: Within,
): void {
  const reading = new StreamReading(stream, sink, within);
  observeMaker(stream, Symbol.asyncIterator, stream[Symbol.asyncIterator] as Step, reading);
}

/** Watches a generator that was handed out as the reply itself. */
export function observeGenerator(
  generator: AsyncIterator<unknown>,
  sink: ReplySink,
  within?: Within,
): void {
  const reading = new StreamReading(generator, sink, within);
  if (reading.watch(generator)) sink.arrived(generator);
}

function observeMaker(
  stream: object,
  key: PropertyKey,
  makeIterator: Step,
  reading: StreamReading,
): void {
  const { sink, within } = reading;
  const make = function iterator(this: unknown, ...args: unknown[]): unknown {
    const made = stepWithin(() => makeIterator.apply(this, args), within)();
    quietly('watching an iterator', () => reading.watch(made, keepsStream(args[0])));
    return made;
  };
  if (setOwn(stream, key, make)) sink.arrived(stream);
  else sink.failed(new UnwatchableReply());
}

/** `values({ preventCancel: true })` of a web stream: who leaves the iterator may go on with the stream. */
function keepsStream(options: unknown): boolean {
  return (options as { preventCancel?: unknown } | undefined)?.preventCancel === true;
}

/** How one stream is read, by however many iterators. */
class StreamReading {
  readonly sink: ReplySink;
  readonly within: Within | undefined;
  readonly #stream: object;
  /** A stream may give one iterator to several readers. */
  readonly #watched = new WeakSet<object>();
  /** Of several iterators the first that is read; the others are the SDK's to refuse. */
  #reader: object | undefined;

  constructor(stream: object, sink: ReplySink, within?: Within) {
    this.#stream = stream;
    this.sink = sink;
    this.within = within;
  }

  /**
   * Puts own `next`, `return` and `throw` on the iterator. False when it refuses them: then it stays as
   * it is, and the call ends.
   */
  watch(made: unknown, keepsStream = false): boolean {
    if (typeof made !== 'object' || made === null || this.#watched.has(made)) return true;
    const iterator = made as AnyIterator;
    if (typeof iterator.next !== 'function') return true;
    this.#watched.add(iterator);
    // First of all `next`: without it, the other two would end a call that goes on.
    const watched =
      setOwn(iterator, 'next', this.#observedNext(iterator)) &&
      this.#observeStop(iterator, 'return', keepsStream) &&
      this.#observeStop(iterator, 'throw', keepsStream);
    if (!watched) this.sink.failed(new UnwatchableReply());
    return watched;
  }

  #observedNext(iterator: AnyIterator): Step {
    const { sink } = this;
    const next = stepWithin(iterator.next.bind(iterator) as Step, this.within);
    const follower: Follower = {
      onValue(result) {
        // Its reader's loop throws the same.
        if (typeof result !== 'object' || result === null) {
          sink.failed(new TypeError('the iterator result is not an object'));
          return;
        }
        const { done, value } = result as IteratorResult<unknown>;
        if (done === true) sink.streamEnded(true);
        else sink.event(value);
      },
      onError: (error) => sink.failed(error),
      onUnwatchable: () => sink.failed(new UnwatchableReply()),
    };
    return (...args) => {
      if (this.#reader === undefined) {
        this.#reader = iterator;
        sink.reading(iterator);
      }
      let step: unknown;
      try {
        step = next(...args);
      } catch (error) {
        if (this.#reader === iterator) sink.failed(error);
        throw error;
      }
      return this.#reader !== iterator || sink.ended ? step : followed(step, follower);
    };
  }

  #observeStop(iterator: AnyIterator, name: 'return' | 'throw', keepsStream: boolean): boolean {
    const original = iterator[name];
    if (typeof original !== 'function') return true;
    const stop = original.bind(iterator) as Step;
    return setOwn(iterator, name, (...args: unknown[]) => {
      if (this.#reader === undefined || this.#reader === iterator) this.#left(keepsStream);
      return stop(...args);
    });
  }

  #left(keepsStream: boolean): void {
    if (!keepsStream) {
      this.sink.streamEnded();
      return;
    }
    this.#reader = undefined;
    this.sink.reading(this.#stream);
  }
}
