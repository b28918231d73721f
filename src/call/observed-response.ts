import { observeNodeStream } from './observed-node-stream.ts';
import { observeReadableStream } from './observed-readable.ts';
import { setOwn } from '../host/own-property.ts';
import { quietly } from '../host/quietly.ts';
import { RawBody, type WholeSink } from './raw-body.ts';
import type { ReplySink } from './reply-sink.ts';
import { UnwatchableReply } from './unwatchable-reply.ts';

/** `Response` of fetch or node-fetch, as far as it is needed. */
type BodyResponse = Readonly<Record<string, unknown>>;
type Read = (this: unknown) => unknown;

const READ_WHOLE = ['json', 'text', 'arrayBuffer', 'bytes', 'blob', 'buffer'] as const;

/**
 * Watches a raw response that the caller reads himself (`asResponse()`): by a method that gives the
 * body whole, from `body`, or from a clone. The SDK's own parser reads in the same ways, so a call
 * whose parsing has begun is left to the parser. `new Response(body)` reads inside the platform and stays
 * unseen.
 */
export function observeResponse(
  response: object,
  call: WholeSink,
  parsing: () => boolean,
  bytesSink: () => ReplySink = () => new RawBody(call),
): void {
  if (!Object.isExtensible(response)) {
    if (!parsing()) call.failed(new UnwatchableReply());
    return;
  }
  const target = response as BodyResponse;
  const unwatched = (): boolean => parsing() || call.ended;
  for (const name of READ_WHOLE) {
    const read = target[name];
    if (typeof read !== 'function') continue;
    setOwn(response, name, async (): Promise<unknown> => {
      const reading = (read as Read).call(response) as Promise<unknown>;
      if (unwatched()) return reading;
      call.reading();
      let body: unknown;
      try {
        body = await reading;
      } catch (error) {
        call.failed(error);
        throw error;
      }
      await takeWhole(name, body, call, bytesSink);
      return body;
    });
  }
  observeClone(response, unwatched, (copy) => observeResponse(copy, call, unwatched, bytesSink));
  observeBody(response, unwatched, bytesSink);
}

/** Never rejects: nothing a caller's own body can do makes a blob of it unreadable. */
async function takeWhole(
  name: (typeof READ_WHOLE)[number],
  body: unknown,
  call: WholeSink,
  bytesSink: () => ReplySink,
): Promise<void> {
  if (name === 'json') {
    call.complete(body);
    return;
  }
  const raw = bytesSink();
  raw.event(body instanceof Blob ? await body.arrayBuffer() : body);
  raw.streamEnded(true);
}

function observeClone(
  response: object,
  unwatched: () => boolean,
  observe: (copy: object) => void,
): void {
  const clone = (response as BodyResponse)['clone'];
  if (typeof clone !== 'function') return;
  setOwn(response, 'clone', (): unknown => {
    const copy = (clone as Read).call(response) as object;
    if (!unwatched()) quietly('watching a clone', () => observe(copy));
    return copy;
  });
}

function observeBody(response: object, unwatched: () => boolean, bytesSink: () => ReplySink): void {
  let observed = false;
  const own = Object.getOwnPropertyDescriptor(response, 'body');
  const body = (): unknown => {
    if (own === undefined) {
      return Reflect.get(Object.getPrototypeOf(response) as object, 'body', response);
    }
    return own.get === undefined ? own.value : own.get.call(response);
  };
  Reflect.defineProperty(response, 'body', {
    configurable: true,
    get(): unknown {
      const stream = body();
      if (observed || unwatched() || typeof stream !== 'object' || stream === null) return stream;
      observed = true;
      quietly('watching a body', () => {
        const raw = bytesSink();
        if (!observeReadableStream(stream, raw)) observeNodeStream(stream, raw);
      });
      return stream;
    },
  });
}
