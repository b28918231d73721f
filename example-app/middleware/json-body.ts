import { bodyParser } from '@koa/bodyparser';
import type { Context, Middleware, Next } from 'koa';

const bodies = new WeakMap<Context['req'], unknown>();

/**
 * JSON bodies up to `limitBytes`; 413 beyond it, 415 for another type, 400 for no JSON. The route
 * validates the JSON itself, including `null` and `__proto__`.
 */
export function jsonBody(limitBytes: number, extraTypes: readonly string[] = []): Middleware {
  const types = ['application/json', ...extraTypes];
  // As text, since the JSON parser of the package rejects some valid JSON.
  const read = bodyParser({
    enableTypes: ['text'],
    extendTypes: { text: types },
    textLimit: limitBytes,
  });
  return async function jsonBodyParsed(ctx: Context, next: Next): Promise<void> {
    const type = ctx.is(types);
    if (type === false) {
      ctx.throw(415, `The body must be ${types.join(' or ')}.`, { code: 'unsupported_media_type' });
    }
    if (type === null) ctx.throw(400, 'The request has no body.', { code: 'invalid_json' });
    await read(ctx, () => {
      bodies.set(ctx.req, parsed(ctx, (ctx.request as { readonly body?: unknown }).body));
      return next();
    });
  };
}

/** What `jsonBody` parsed. */
export function bodyOf(ctx: Context): unknown {
  return bodies.get(ctx.req);
}

function parsed(ctx: Context, text: unknown): unknown {
  try {
    return JSON.parse(String(text)) as unknown;
  } catch {
    // Without the message of the parser, which quotes the body.
    return ctx.throw(400, 'The body is not valid JSON.', { code: 'invalid_json' });
  }
}
