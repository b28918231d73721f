import { createHash } from 'node:crypto';
import type { Context, Middleware, Next } from 'koa';
import { isKnown } from './etag.ts';

export interface StaticFile {
  /** Media type. */
  readonly type: string;
  readonly content: Buffer;
}

interface Served extends StaticFile {
  readonly etag: string;
}

/**
 * Answers from memory, by the exact path: nothing of a request ever reaches the file system.
 * `fileOf` may choose by more than the path, the language for one.
 */
export function staticFiles(fileOf: (ctx: Context) => StaticFile | undefined): Middleware {
  const served = new WeakMap<StaticFile, Served>();
  return async function staticFile(ctx: Context, next: Next): Promise<void> {
    const file = ctx.method === 'GET' || ctx.method === 'HEAD' ? fileOf(ctx) : undefined;
    if (!file) return await next();
    let known = served.get(file);
    if (!known) served.set(file, (known = { ...file, etag: etagOf(file.content) }));
    ctx.set('cache-control', 'no-cache');
    ctx.set('etag', known.etag);
    ctx.status = 200;
    if (isKnown(ctx, known.etag)) {
      ctx.status = 304;
      return;
    }
    ctx.type = known.type;
    ctx.body = known.content;
  };
}

function etagOf(content: Buffer): string {
  return `"${createHash('sha256').update(content).digest('base64url').slice(0, 22)}"`;
}
