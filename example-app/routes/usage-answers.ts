import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Context } from 'koa';
import { TokenMeterError, usageJson } from 'otel-token-meter/exporter';
import { z } from 'zod';
import { callerOf } from '../middleware/authentication.ts';
import { retryAfter } from './api-headers.ts';

/** How answers of the ledger are sent, and what becomes of its errors. */

export const UNAVAILABLE = {
  description: 'The ledger cannot be read at the moment',
  headers: z.object(retryAfter),
};

export const CSV = {
  description: 'A file',
  schema: z.string(),
  type: 'text/csv',
  headers: z.object({ 'content-disposition': z.string() }),
};

export function sendCsv(ctx: Context, name: string, now: Date, lines: Readable): void {
  ctx.set('cache-control', 'no-store');
  ctx.attachment(`${name}-${now.toISOString().slice(0, 10)}.csv`);
  ctx.type = 'text/csv; charset=utf-8';
  ctx.body = lines;
}

const compress = promisify(gzip);
/** Below this size a compressed answer takes as many packets as a plain one. */
const MIN_BYTES = 1024;
/** Sums by hour shrink to a twentieth, in a millisecond or two. */
const LEVEL = 4;

export async function sendJson(ctx: Context, value: object | undefined): Promise<void> {
  if (value === undefined) return;
  ctx.set('cache-control', 'no-store');
  ctx.vary('Accept-Encoding');
  const text = JSON.stringify(usageJson(value));
  ctx.type = 'application/json; charset=utf-8';
  const isAccepted =
    ctx.get('accept-encoding') !== '' && ctx.acceptsEncodings('gzip', 'identity') === 'gzip';
  if (!isAccepted || text.length < MIN_BYTES) {
    ctx.body = text;
    return;
  }
  ctx.body = await compress(text, { level: LEVEL });
  ctx.set('content-encoding', 'gzip');
}

/** One viewer never takes all threads of the reader. */
export const askedBy = (ctx: Context): { readonly askedBy: string } => ({ askedBy: callerOf(ctx) });

export function untilGone(ctx: Context): AbortSignal {
  const controller = new AbortController();
  const abort = (): void => controller.abort(new Error('the client went away'));
  if (ctx.req.socket.destroyed) abort();
  else ctx.res.once('close', abort);
  return controller.signal;
}

const STORE_PROBLEMS: readonly string[] = [
  'DATABASE_UNAVAILABLE',
  'BACKEND_UNREACHABLE',
  'BACKEND_REFUSED',
];

/**
 * The reader's errors as answers: a wrong query is the client's, a store that is down is a 503.
 * Undefined when the client is gone: its query was ended on purpose.
 */
export async function fromReader<T>(ctx: Context, ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    // A server that stops is closed before its responses are.
    if (ctx.req.socket.destroyed) {
      ctx.respond = false;
      return undefined;
    }
    if (!(error instanceof TokenMeterError)) throw error;
    const { code, message, allowed } = error;
    if (code === 'INVALID_OPTION') {
      const isTold = allowed === undefined || message.includes(allowed);
      const detail = isTold ? message : `${message} (allowed: ${allowed})`;
      // The reader's name of the parameter; what else it would refuse has been refused before.
      const asAsked = detail.replace('query: groupBy ', 'query: group_by ');
      return ctx.throw(422, asAsked, { code: 'invalid_request' });
    }
    if (!STORE_PROBLEMS.includes(code)) throw error;
    ctx.app.emit('error', error, ctx);
    return ctx.throw(503, 'The usage ledger cannot be read at the moment.', {
      code: 'ledger_unavailable',
      expose: true,
      headers: { 'retry-after': '5' },
    });
  }
}
