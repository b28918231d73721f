import type { ServerResponse } from 'node:http';
import type { Context } from 'koa';
import { z } from 'zod';

export interface StreamedEvent {
  /** Comes back as Last-Event-ID when the client reconnects. */
  readonly id?: string | number;
  /** @default "message", as browsers call it */
  readonly event?: string;
  /** Sent as JSON. */
  readonly data: unknown;
}

/** Each event of a stream, for the description of its route. */
export function eventSchema(...names: readonly string[]): z.ZodType {
  return z.looseObject({
    id: z.string().optional(),
    event: z.enum(names),
    data: z.string().meta({ override: { contentMediaType: 'application/json' } }),
  });
}

export interface EventStreamOptions {
  /** A comment this often keeps proxies from closing the connection. @default 15000 */
  readonly heartbeatMs?: number;
  /** What a client waits before it reconnects, ms. */
  readonly retryMs?: number;
}

/** A reader that is this far behind, beside one event, will not catch up. */
const MAX_WAITING_BYTES = 1_000_000;

/** Server-sent events as the answer of a request. */
export class EventStream {
  readonly #response: ServerResponse;
  /** Bytes of the largest event: the first of a stream may be a whole document. */
  #largest = 0;

  constructor(ctx: Context, { heartbeatMs = 15_000, retryMs }: EventStreamOptions = {}) {
    // Written directly: to koa a reader that leaves would be an error.
    ctx.respond = false;
    ctx.status = 200;
    ctx.type = 'text/event-stream; charset=utf-8';
    // The second asks nginx not to hold the events back.
    ctx.set({ 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
    ctx.req.socket.setNoDelay(true);
    this.#response = ctx.res;
    const heartbeat = setInterval(() => this.#write(': still here\n\n'), heartbeatMs);
    heartbeat.unref();
    this.onClose(() => clearInterval(heartbeat));
    this.#write(retryMs === undefined ? ': hello\n\n' : `retry: ${Math.round(retryMs)}\n\n`);
    // An answer to HEAD has nothing to wait for.
    if (ctx.method === 'HEAD') this.end();
  }

  send({ id, event, data }: StreamedEvent): void {
    const fields = [
      ...(id === undefined ? [] : [`id: ${id}`]),
      ...(event === undefined ? [] : [`event: ${event}`]),
      // JSON holds no line breaks.
      `data: ${JSON.stringify(data)}`,
    ];
    this.#write(`${fields.join('\n')}\n\n`);
  }

  /** Calls back when either side has ended it. */
  onClose(callback: () => void): void {
    this.#response.once('close', callback);
  }

  end(): void {
    this.#response.end();
  }

  #write(text: string): void {
    const response = this.#response;
    if (response.writableEnded || response.destroyed) return;
    if (response.writableLength > MAX_WAITING_BYTES + this.#largest) {
      response.destroy();
      return;
    }
    this.#largest = Math.max(this.#largest, Buffer.byteLength(text));
    response.write(text);
  }
}
