import { createHash } from 'node:crypto';
import type { Context, Middleware, Next } from 'koa';
import { CODINGS, type Coding, encoded, isCompressible } from './content-coding.ts';
import { isKnown } from './etag.ts';

export interface StaticFile {
  /** Media type. */
  readonly type: string;
  readonly content: Buffer;
}

/**
 * Answers from memory, by the exact path: nothing of a request ever reaches the file system.
 * `fileOf` may choose by more than the path, for example the language. Texts are compressed where
 * the client accepts it.
 */
export function staticFiles(fileOf: (ctx: Context) => StaticFile | undefined): Middleware {
  const hashes = new WeakMap<StaticFile, string>();
  return async function staticFile(ctx: Context, next: Next): Promise<void> {
    const file = ctx.method === 'GET' || ctx.method === 'HEAD' ? fileOf(ctx) : undefined;
    if (!file) return await next();
    let hash = hashes.get(file);
    if (hash === undefined) hashes.set(file, (hash = hashOf(file.content)));
    const { type, content } = file;
    const coding = isCompressible(type, content) ? codingFor(ctx) : undefined;
    // Each coding is a separate representation with a separate ETag (RFC 9110, 8.8.3.3).
    const etag = coding === undefined ? `"${hash}"` : `"${hash}-${coding}"`;
    ctx.set('cache-control', 'no-cache');
    ctx.set('etag', etag);
    ctx.status = 200;
    if (isKnown(ctx, etag)) {
      ctx.status = 304;
      return;
    }
    ctx.type = type;
    ctx.body = coding === undefined ? content : await encoded(content, hash, coding);
    if (coding !== undefined) ctx.set('content-encoding', coding);
  };
}

/** Undefined: plain. Caches have to know that the answer depends on it either way. */
function codingFor(ctx: Context): Coding | undefined {
  ctx.vary('Accept-Encoding');
  if (ctx.get('accept-encoding') === '') return undefined;
  // The best of those that are accepted: browsers name Brotli after gzip, without a preference.
  return CODINGS.find((coding) => ctx.acceptsEncodings(coding) === coding);
}

function hashOf(content: Buffer): string {
  return createHash('sha256').update(content).digest('base64url').slice(0, 22);
}
