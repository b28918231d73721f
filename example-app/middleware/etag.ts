import type { Context } from 'koa';

/**
 * Whether If-None-Match names this version. Not `ctx.fresh`: that answers in full to
 * `Cache-Control: no-cache` of the request, which `fetch` of Node sends along.
 */
export function isKnown(ctx: Context, etag: string): boolean {
  return entityTags(ctx.get('if-none-match')).some(
    (tag) => tag === '*' || tag.replace(/^W\//, '') === etag,
  );
}

/** The members of If-Match or If-None-Match; empty without the header. */
export function entityTags(header: string): readonly string[] {
  return header
    .split(',')
    .map((tag) => tag.trim())
    .filter((tag) => tag !== '');
}
