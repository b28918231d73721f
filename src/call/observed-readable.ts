import type { ChatCall } from './chat-call.ts';
import { observeAsyncIterable } from './observed-stream.ts';

/**
 * Watches a web ReadableStream read by `getReader()` or `for await`. `tee`, `pipeTo` and `pipeThrough`
 * take their chunks inside the platform and stay unseen: such a call ends when the stream is collected.
 * False when it is not a stream.
 */
export function observeReadableStream(value: object, call: ChatCall): boolean {
  if (!(value instanceof ReadableStream)) return false;
  const stream = value as ReadableStream<unknown>;
  observeAsyncIterable(stream as unknown as AsyncIterable<unknown>, call);
  const getReader = stream.getReader.bind(stream);
  define(stream, 'getReader', (...args: []) => observeReader(getReader(...args), call));
  return true;
}

function observeReader(
  reader: ReadableStreamDefaultReader<unknown>,
  call: ChatCall,
): ReadableStreamDefaultReader<unknown> {
  const read = reader.read.bind(reader);
  const cancel = reader.cancel.bind(reader);
  call.reading(reader);
  define(reader, 'read', (...args: []) =>
    read(...args).then(
      (result) => {
        if (result.done) call.streamEnded(true);
        else call.event(result.value);
        return result;
      },
      (error: unknown) => {
        call.failed(error);
        throw error;
      },
    ),
  );
  define(reader, 'cancel', (reason?: unknown) => {
    call.streamEnded();
    return cancel(reason);
  });
  return reader;
}

function define(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, {
    configurable: true,
    enumerable: false,
    writable: true,
    value,
  });
}
