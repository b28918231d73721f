import { Router } from '@koa/router';
import type { Context } from 'koa';
import type { Access } from '../middleware/access.ts';
import { SESSION_COOKIE, identityOf, principalOf } from '../middleware/authentication.ts';
import { bodyOf, jsonBody } from '../middleware/json-body.ts';
import type { RateLimit } from '../middleware/rate-limit.ts';

export interface SessionRoutesOptions {
  readonly access: Access;
  readonly failures: RateLimit;
}

/** Signing in and out: a token becomes a session cookie that scripts cannot read. */
export function sessionRoutes({ access, failures }: SessionRoutesOptions): Router {
  const router = new Router();

  router.post('/api/session', jsonBody(1024), (ctx) => {
    const token = (bodyOf(ctx) as { readonly token?: unknown } | null)?.token;
    if (typeof token !== 'string' || token === '') {
      return ctx.throw(422, 'The body must be {"token": "…"}.', { code: 'invalid_request' });
    }
    const principal = principalOf(ctx, access, failures, token);
    if (!principal) {
      return ctx.throw(401, 'The token is not valid.', {
        code: 'invalid_token',
        headers: { 'www-authenticate': 'Bearer realm="otel-token-meter"' },
      });
    }
    const { value, expiresAt } = access.createSession(principal);
    setCookie(ctx, value, expiresAt);
    ctx.body = { ...principal, expires_at: expiresAt.toISOString() };
  });

  router.get('/api/session', (ctx) => {
    const identity = identityOf(ctx);
    // Asking who one is is no failure; consoles of browsers would list a 401 as one.
    ctx.body = identity ? { name: identity.name, role: identity.role } : { name: null, role: null };
  });

  router.delete('/api/session', (ctx) => {
    setCookie(ctx, '', new Date(0));
    ctx.status = 204;
  });

  return router;
}

function setCookie(ctx: Context, value: string, expires: Date): void {
  ctx.cookies.set(SESSION_COOKIE, value, {
    expires,
    httpOnly: true,
    sameSite: 'strict',
    secure: ctx.secure,
    overwrite: true,
  });
}
