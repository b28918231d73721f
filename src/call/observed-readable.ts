import { observeAsyncIterable, stepWithin, type Within } from './observed-stream.ts';
import { setOwn } from '../host/own-property.ts';
import type { ReplySink } from './reply-sink.ts';
import { UnwatchableReply } from './unwatchable-reply.ts';

type AnyReader = ReadableStreamDefaultReader<unknown>;
type PipeOptions = Parameters<ReadableStream['pipeTo']>[1];

/**
 * Watches a web ReadableStream, whichever of its methods it is read by; the object stays as it is.
 * `tee` and the pipes take their chunks inside the platform, so these read a stream that is drawn from
 * this one, chunk for chunk and only on demand. False when it is not a stream.
 */
export function observeReadableStream(value: unknown, sink: ReplySink, within?: Within): boolean {
  if (!(value instanceof ReadableStream)) return false;
  const stream = value as ReadableStream<unknown>;
  if (!Object.isExtensible(stream)) {
    sink.failed(new UnwatchableReply());
    return true;
  }
  const getReader = stream.getReader.bind(stream) as (...args: unknown[]) => AnyReader;
  const iterated = new IteratedSink(sink);
  observeAsyncIterable(stream, iterated, iterated.within(within));
  setOwn(stream, 'values', stream[Symbol.asyncIterator]);

  setOwn(stream, 'getReader', (...args: unknown[]) => {
    iterated.readerTaken();
    return observeReader(getReader(...args), stream, sink, within);
  });
  const draw = (): Drawn => drawn(stream, isByteStream(getReader));
  setOwn(stream, 'tee', () => draw().copy.tee());
  setOwn(stream, 'pipeTo', async (target: WritableStream<unknown>, options?: PipeOptions) => {
    const { copy, reader } = draw();
    try {
      await copy.pipeTo(target, options);
    } finally {
      // Its reader may go on with the stream.
      if (options?.preventCancel === true) reader.releaseLock();
    }
  });
  setOwn(
    stream,
    'pipeThrough',
    (transform: ReadableWritablePair<unknown, unknown>, options?: PipeOptions) => {
      if (options?.preventCancel !== true) return draw().copy.pipeThrough(transform, options);
      stream.pipeTo(transform.writable, options).catch(() => undefined);
      return transform.readable;
    },
  );
  return true;
}

/**
 * What an iterator of the stream reports. One that is not the platform's (AI SDK's, LangChain's) takes a
 * reader, and the reader reports each chunk already.
 */
class IteratedSink implements ReplySink {
  #readBelow = false;
  #iterating = false;
  readonly #sink: ReplySink;

  constructor(sink: ReplySink) {
    this.#sink = sink;
  }

  /** `within`, with the iterator's own steps marked. */
  within(within: Within | undefined): Within {
    return (step) => {
      const before = this.#iterating;
      this.#iterating = true;
      try {
        return within === undefined ? step() : within(step);
      } finally {
        this.#iterating = before;
      }
    };
  }

  readerTaken(): void {
    if (this.#iterating) this.#readBelow = true;
  }

  get ended(): boolean {
    return this.#readBelow || this.#sink.ended;
  }

  arrived(handle: object): void {
    this.#sink.arrived(handle);
  }

  reading(handle?: object): void {
    if (!this.#readBelow) this.#sink.reading(handle);
  }

  event(event: unknown): void {
    if (!this.#readBelow) this.#sink.event(event);
  }

  streamEnded(done?: boolean): void {
    this.#sink.streamEnded(done);
  }

  failed(error: unknown): void {
    this.#sink.failed(error);
  }
}

/** Only such a stream gives a BYOB reader; taking one reads nothing. */
function isByteStream(getReader: (options: object) => { releaseLock(): void }): boolean {
  try {
    getReader({ mode: 'byob' }).releaseLock();
    return true;
  } catch {
    return false;
  }
}

/** That of a stream of bytes, or of any chunks. */
type AnyController = Pick<ReadableByteStreamController, 'enqueue' | 'close'> &
  Partial<Pick<ReadableByteStreamController, 'byobRequest'>>;

interface Drawn {
  readonly copy: ReadableStream<unknown>;
  readonly reader: AnyReader;
}

/** Reads nothing before it is asked, so the source is no further ahead than without us. */
function drawn(stream: ReadableStream<unknown>, ofBytes: boolean): Drawn {
  const reader = stream.getReader();
  const cancel = (reason: unknown): Promise<void> => reader.cancel(reason);
  const pull = async (controller: AnyController): Promise<void> => {
    const { done, value } = await reader.read();
    if (!done) {
      controller.enqueue(value as Uint8Array<ArrayBuffer>);
      return;
    }
    controller.close();
    controller.byobRequest?.respond(0);
  };
  const copy = ofBytes
    ? new ReadableStream({ type: 'bytes', pull, cancel })
    : new ReadableStream({ pull, cancel }, { highWaterMark: 0 });
  return { copy, reader };
}

/** The stream is the handle: a reader may be released, and the next one goes on. */
function observeReader(
  reader: AnyReader,
  stream: object,
  sink: ReplySink,
  within?: Within,
): AnyReader {
  const read = stepWithin(reader.read.bind(reader), within);
  const cancel = reader.cancel.bind(reader);
  const releaseLock = reader.releaseLock.bind(reader);
  let released = false;
  sink.reading(stream);
  setOwn(reader, 'read', (...args: []) =>
    read(...args).then(
      (result) => {
        if (result.done) sink.streamEnded(true);
        else sink.event(result.value);
        return result;
      },
      (error: unknown) => {
        // A released reader refuses the reads it still had; the next reader gets them.
        if (!released) sink.failed(error);
        throw error;
      },
    ),
  );
  setOwn(reader, 'cancel', (reason?: unknown) => {
    sink.streamEnded();
    return cancel(reason);
  });
  setOwn(reader, 'releaseLock', () => {
    released = true;
    releaseLock();
  });
  return reader;
}
