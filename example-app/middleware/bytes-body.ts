import { createGunzip } from 'node:zlib';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import type { Context, Middleware, Next } from 'koa';
import { callerOf } from './authentication.ts';

const bodies = new WeakMap<Context['req'], Buffer>();

/** Bodies that are read at the same time; with the limit of each they bound memory. */
const AT_ONCE = 16;
/** Of them those of one caller: a slow sender does not stop the others. */
const AT_ONCE_OF_ONE = 8;
const READ_WITHIN_MS = 10_000;

/**
 * Bodies of other types than JSON, up to `limitBytes` after decompression: 413 beyond it, 415 for another
 * type or coding, 400 for a broken one, 408 for one that takes longer than ten seconds, 503 with `Retry-After` while
 * many others are being read.
 */
export function bytesBody(limitBytes: number, types: readonly string[]): Middleware {
  let reading = 0;
  const byCaller = new Map<string, number>();
  return async function bytesBodyRead(ctx: Context, next: Next): Promise<void> {
    if (ctx.is([...types]) === false) {
      ctx.throw(415, `The body must be ${types.join(' or ')}.`, { code: 'unsupported_media_type' });
    }
    const coding = ctx.get('content-encoding').trim().toLowerCase() || 'identity';
    if (coding !== 'identity' && coding !== 'gzip') {
      ctx.throw(415, 'The content coding must be gzip or identity.', {
        code: 'unsupported_media_type',
        headers: { 'accept-encoding': 'gzip, identity' },
      });
    }
    const caller = callerOf(ctx);
    const ofCaller = byCaller.get(caller) ?? 0;
    if (reading >= AT_ONCE || ofCaller >= AT_ONCE_OF_ONE) {
      ctx.throw(503, 'Many requests are being read.', {
        code: 'busy',
        headers: { 'retry-after': '1' },
      });
    }
    reading += 1;
    byCaller.set(caller, ofCaller + 1);
    try {
      bodies.set(ctx.req, await read(ctx, coding === 'gzip', limitBytes));
    } finally {
      reading -= 1;
      const rest = (byCaller.get(caller) ?? 1) - 1;
      if (rest > 0) byCaller.set(caller, rest);
      else byCaller.delete(caller);
    }
    await next();
  };
}

/** What `bytesBody` read. */
export function bytesOf(ctx: Context): Buffer {
  return bodies.get(ctx.req) ?? Buffer.alloc(0);
}

class TooLarge extends Error {}

async function read(ctx: Context, isCompressed: boolean, limitBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  const gather = async (source: AsyncIterable<Buffer>): Promise<void> => {
    for await (const chunk of source) {
      size += chunk.length;
      if (size > limitBytes) throw new TooLarge();
      chunks.push(chunk);
    }
  };
  const tooSlow = AbortSignal.timeout(READ_WITHIN_MS);
  try {
    if (Number(ctx.get('content-length') || 0) > limitBytes) throw new TooLarge();
    const coding = isCompressed ? createGunzip() : new PassThrough();
    await pipeline(ctx.req, coding, gather, { signal: tooSlow });
  } catch (error) {
    // What is still coming is not read.
    ctx.set('connection', 'close');
    if (tooSlow.aborted) ctx.throw(408, 'The body did not arrive in time.', { code: 'too_slow' });
    if (error instanceof TooLarge) ctx.throw(413, { code: 'too_large' });
    ctx.throw(400, 'The body cannot be read.', { code: 'invalid_body' });
  }
  return Buffer.concat(chunks);
}
