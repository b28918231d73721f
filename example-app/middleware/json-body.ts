import { bodyParser } from '@koa/bodyparser';
import type { Context, Middleware, Next } from 'koa';

/** JSON bodies up to `limitBytes`; 413 beyond it, 415 for another type, 400 for no JSON. */
export function jsonBody(limitBytes: number, extraTypes: readonly string[] = []): Middleware {
  const parse = bodyParser({
    enableTypes: ['json'],
    extendTypes: { json: [...extraTypes] },
    jsonLimit: limitBytes,
    // `null` or `3` is JSON too; what the body must be is the route's to say.
    jsonStrict: false,
  });
  return async function jsonBodyParsed(ctx: Context, next: Next): Promise<void> {
    if (!ctx.is('application/json', ...extraTypes)) {
      const types = ['application/json', ...extraTypes].join(' or ');
      ctx.throw(415, `The body must be ${types}.`, { code: 'unsupported_media_type' });
    }
    await parse(ctx, next);
  };
}

/** What `jsonBody` parsed. */
export function bodyOf(ctx: Context): unknown {
  return (ctx.request as { readonly body?: unknown }).body;
}
