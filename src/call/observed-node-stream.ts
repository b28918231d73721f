import { Readable } from 'node:stream';
import { stepWithin, type Within } from './observed-stream.ts';
import { setOwn } from '../host/own-property.ts';
import type { ReplySink } from './reply-sink.ts';

/**
 * Watches a Node stream: every way of reading one, `for await` included, emits `data` for each chunk.
 * False when it is not one. No listener is added, since that would start the flow.
 */
export function observeNodeStream(value: object, sink: ReplySink, within?: Within): boolean {
  if (!(value instanceof Readable)) return false;
  if (within !== undefined) setOwn(value, '_read', stepWithin(value._read.bind(value), within));
  const emit = value.emit.bind(value) as (event: string | symbol, ...args: unknown[]) => boolean;
  const decoder = new TextDecoder();
  setOwn(value, 'emit', (event: string | symbol, ...args: unknown[]): boolean => {
    const [given] = args;
    if (event === 'data') {
      sink.reading(value);
      sink.event(given instanceof Uint8Array ? decoder.decode(given, { stream: true }) : given);
    } else if (event === 'end') sink.streamEnded(true);
    else if (event === 'error') sink.failed(given);
    else if (event === 'close') sink.streamEnded();
    return emit(event, ...args);
  });
  sink.arrived(value);
  return true;
}
