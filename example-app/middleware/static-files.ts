import { createHash } from 'node:crypto';
import type { Context, Middleware, Next } from 'koa';
import { CODINGS, type Coding, encoded, isCompressible } from './content-coding.ts';
import { isKnown } from './etag.ts';

export interface StaticFile {
  /** Media type. */
  readonly type: string;
  readonly content: Buffer;
  /** The name changes with the content, so that caches may keep it for good. @default false */
  readonly isImmutable?: boolean;
}

const FOR_GOOD = 'public, max-age=31536000, immutable';

/**
 * Answers from memory, by the exact path: nothing of a request ever reaches the file system.
 * `fileOf` may choose by more than the path, for example the language. Texts are compressed where
 * the client accepts it.
 */
export function staticFiles(fileOf: (ctx: Context) => Promise<StaticFile | undefined>): Middleware {
  return async function staticFile(ctx: Context, next: Next): Promise<void> {
    const file = ctx.method === 'GET' || ctx.method === 'HEAD' ? await fileOf(ctx) : undefined;
    if (!file) return await next();
    const hash = hashOf(file);
    const { type, content, isImmutable } = file;
    const coding = isCompressible(type, content) ? codingFor(ctx) : undefined;
    // Each coding is a separate representation with a separate ETag (RFC 9110, 8.8.3.3).
    const etag = coding === undefined ? `"${hash}"` : `"${hash}-${coding}"`;
    ctx.set('cache-control', isImmutable ? FOR_GOOD : 'no-cache');
    ctx.set('etag', etag);
    ctx.status = 200;
    if (isKnown(ctx, etag)) {
      ctx.status = 304;
      return;
    }
    ctx.type = type;
    ctx.body = coding === undefined ? content : await compressed(file, coding);
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

/** The content in this coding, made once. */
export function compressed(file: StaticFile, coding: Coding): Promise<Buffer> {
  return encoded(file.content, hashOf(file), coding);
}

const hashes = new WeakMap<StaticFile, string>();

function hashOf(file: StaticFile): string {
  let hash = hashes.get(file);
  if (hash === undefined) {
    hash = createHash('sha256').update(file.content).digest('base64url').slice(0, 22);
    hashes.set(file, hash);
  }
  return hash;
}
