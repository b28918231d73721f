import type { Context } from 'koa';
import type { Access } from '../middleware/access.ts';
import { SESSION_COOKIE, identityOf, principalOf } from '../middleware/authentication.ts';
import type { RateLimit } from '../middleware/rate-limit.ts';
import { signIn, signedIn, whoAmI } from '../schemas.ts';
import { type ApiRoute, apiRoute } from './api-route.ts';

export interface SessionRoutesOptions {
  readonly access: Access;
  readonly failures: RateLimit;
}

/** Signing in and out: a token becomes a session cookie that scripts cannot read. */
export function sessionRoutes({ access, failures }: SessionRoutesOptions): readonly ApiRoute[] {
  return [
    apiRoute({
      method: 'post',
      path: '/api/session',
      summary: 'Sign in: a token becomes a session cookie',
      role: 'anyone',
      body: { schema: signIn, limitBytes: 1024 },
      answers: { 200: { description: 'Signed in', schema: signedIn } },
      handle(ctx, { body }) {
        const principal = principalOf(ctx, access, failures, body.token);
        if (!principal) {
          return ctx.throw(401, 'The token is not valid.', {
            code: 'invalid_token',
            headers: { 'www-authenticate': 'Bearer realm="otel-token-meter"' },
          });
        }
        const { value, expiresAt } = access.createSession(principal);
        setCookie(ctx, value, expiresAt);
        ctx.body = { ...principal, expires_at: expiresAt.toISOString() };
      },
    }),
    apiRoute({
      method: 'get',
      path: '/api/session',
      summary: 'Who sends this request',
      role: 'anyone',
      answers: { 200: { description: 'Name and role; null for nobody', schema: whoAmI } },
      handle(ctx) {
        const { name = null, role = null } = identityOf(ctx) ?? {};
        // Asking who one is is no failure; consoles of browsers would list a 401 as one.
        ctx.body = { name, role };
      },
    }),
    apiRoute({
      method: 'delete',
      path: '/api/session',
      summary: 'Sign out',
      role: 'anyone',
      answers: { 204: { description: 'Signed out' } },
      handle(ctx) {
        setCookie(ctx, '', new Date(0));
        ctx.status = 204;
      },
    }),
  ];
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
