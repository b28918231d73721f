import { Readable } from 'node:stream';
import type { ChatCall } from './chat-call.ts';

/**
 * Watches a Node stream: every way of reading one, `for await` included, emits `data` for each chunk.
 * False when it is not one. No listener is added, since that would start the flow.
 */
export function observeNodeStream(value: object, call: ChatCall): boolean {
  if (!(value instanceof Readable)) return false;
  const emit = value.emit.bind(value) as (event: string | symbol, ...args: unknown[]) => boolean;
  const decoder = new TextDecoder();
  Object.defineProperty(value, 'emit', {
    configurable: true,
    enumerable: false,
    writable: true,
    value(event: string | symbol, ...args: unknown[]): boolean {
      const [given] = args;
      if (event === 'data') {
        call.reading(value);
        call.event(given instanceof Uint8Array ? decoder.decode(given, { stream: true }) : given);
      } else if (event === 'end') call.streamEnded(true);
      else if (event === 'error') call.failed(given);
      else if (event === 'close') call.streamEnded();
      return emit(event, ...args);
    },
  });
  call.arrived(value);
  return true;
}
