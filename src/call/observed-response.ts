import type { ChatCall } from './chat-call.ts';
import { quietly } from './quietly.ts';

/** `Response` of fetch or node-fetch, as far as it is needed. */
interface BodyResponse {
  json?: unknown;
  text?: unknown;
}

/**
 * Watches a raw response that the caller reads himself (`asResponse()`). The SDK's own parser reads
 * through the same methods, so a call whose parsing has begun is left to the parser.
 */
export function observeResponse(response: object, call: ChatCall, parsing: () => boolean): void {
  const target = response as BodyResponse;
  for (const name of ['json', 'text'] as const) {
    const read = target[name];
    if (typeof read !== 'function') continue;
    Object.defineProperty(response, name, {
      configurable: true,
      enumerable: false,
      writable: true,
      value: async function observed(this: unknown): Promise<unknown> {
        const reading = read.call(response) as Promise<unknown>;
        if (parsing() || call.ended) return reading;
        call.reading();
        try {
          const body = await reading;
          quietly('reading a response body', () => takeBody(name, body, call));
          return body;
        } catch (error) {
          call.failed(error);
          throw error;
        }
      },
    });
  }
}

function takeBody(name: 'json' | 'text', body: unknown, call: ChatCall): void {
  if (name === 'json') {
    // node-fetch's json() does not go through text(); fetch's neither. Each ends the call itself.
    call.complete(body);
    return;
  }
  const text = String(body);
  if (!isEventStream(text)) {
    call.complete(JSON.parse(text));
    return;
  }
  for (const line of text.split('\n')) {
    if (!line.startsWith('data:')) continue;
    const data = line.slice('data:'.length).trim();
    if (data !== '' && data !== '[DONE]') call.event(JSON.parse(data));
  }
  call.streamEnded();
}

function isEventStream(text: string): boolean {
  return /^(?:data|event|id|retry)?:/.test(text);
}
