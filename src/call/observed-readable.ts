import { observeAsyncIterable, stepWithin, type Within } from './observed-stream.ts';
import { setOwn } from '../host/own-property.ts';
import type { ReplySink } from './reply-sink.ts';

type AnyReader = ReadableStreamDefaultReader<unknown>;
type PipeOptions = Parameters<ReadableStream['pipeTo']>[1];

/**
 * Watches a web ReadableStream, whichever of its methods it is read by; the object stays as it is.
 * `tee` and the pipes take their chunks inside the platform, so these read a stream that is drawn from
 * this one, chunk for chunk and only on demand. False when it is not a stream.
 */
export function observeReadableStream(value: object, sink: ReplySink, within?: Within): boolean {
  if (!(value instanceof ReadableStream)) return false;
  const stream = value as ReadableStream<unknown>;
  const getReader = stream.getReader.bind(stream);
  const pipeTo = stream.pipeTo.bind(stream);
  const iterated = new IteratedSink(sink);
  observeAsyncIterable(stream as unknown as AsyncIterable<unknown>, iterated, within);
  setOwn(stream, 'values', stream[Symbol.asyncIterator]);

  setOwn(stream, 'getReader', (...args: []) => {
    const reader = observeReader(getReader(...args), sink, within);
    iterated.readBelow = true;
    return reader;
  });
  setOwn(stream, 'tee', () => drawn(stream).tee());
  setOwn(
    stream,
    'pipeThrough',
    (transform: ReadableWritablePair<unknown, unknown>, options?: PipeOptions) =>
      drawn(stream).pipeThrough(transform, options),
  );
  setOwn(stream, 'pipeTo', (target: WritableStream<unknown>, options?: PipeOptions) =>
    // Here the caller keeps the stream afterwards; a drawn one could not give it back.
    options?.preventCancel === true
      ? pipeTo(target, options)
      : drawn(stream).pipeTo(target, options),
  );
  return true;
}

/**
 * What an iterator of the stream tells. One that is not the platform's (AI SDK's, LangChain's) reads by
 * `getReader`, and the reader tells of each chunk already.
 */
class IteratedSink implements ReplySink {
  readBelow = false;
  readonly #sink: ReplySink;

  constructor(sink: ReplySink) {
    this.#sink = sink;
  }

  get ended(): boolean {
    return this.readBelow || this.#sink.ended;
  }

  arrived(handle: object): void {
    this.#sink.arrived(handle);
  }

  reading(handle?: object): void {
    if (!this.readBelow) this.#sink.reading(handle);
  }

  event(event: unknown): void {
    if (!this.readBelow) this.#sink.event(event);
  }

  streamEnded(done?: boolean): void {
    this.#sink.streamEnded(done);
  }

  failed(error: unknown): void {
    this.#sink.failed(error);
  }
}

/** Reads nothing before it is asked, so the source is no further ahead than without us. */
function drawn(stream: ReadableStream<unknown>): ReadableStream<unknown> {
  const reader = stream.getReader();
  return new ReadableStream<unknown>(
    {
      async pull(controller) {
        const { done, value } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}

function observeReader(reader: AnyReader, sink: ReplySink, within?: Within): AnyReader {
  const read = stepWithin(reader.read.bind(reader), within);
  const cancel = reader.cancel.bind(reader);
  sink.reading(reader);
  setOwn(reader, 'read', (...args: []) =>
    read(...args).then(
      (result) => {
        if (result.done) sink.streamEnded(true);
        else sink.event(result.value);
        return result;
      },
      (error: unknown) => {
        sink.failed(error);
        throw error;
      },
    ),
  );
  setOwn(reader, 'cancel', (reason?: unknown) => {
    sink.streamEnded();
    return cancel(reason);
  });
  return reader;
}
