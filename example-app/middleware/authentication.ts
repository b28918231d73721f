import type { Context, Middleware, Next } from 'koa';
import type { Access, Principal, Role } from './access.ts';
import { type RateLimit, tooMany } from './rate-limit.ts';

export const SESSION_COOKIE = 'token_meter_session';

export interface Identity extends Principal {
  /** A cookie comes along with every request, wanted or not; a header does not. */
  readonly via: 'bearer' | 'session';
}

const identities = new WeakMap<Context['req'], Identity>();

/** Who sends this request; undefined for nobody we know. */
export function identityOf(ctx: Context): Identity | undefined {
  return identities.get(ctx.req);
}

/**
 * Finds out who sends the request. Nobody is refused here but a wrong bearer token: routes say what
 * they need by `requireRole`. Wrong tokens are limited by address; sessions, which cannot be
 * guessed, stay usable meanwhile.
 */
export function authentication(access: Access, failures: RateLimit): Middleware {
  return async function authenticated(ctx: Context, next: Next): Promise<void> {
    const header = ctx.get('authorization');
    const session = access.sessionOf(ctx.cookies.get(SESSION_COOKIE) ?? '');
    if (header !== '') {
      const token = /^Bearer +(\S+) *$/i.exec(header)?.[1];
      const principal = token && principalOf(ctx, access, failures, token);
      if (!principal) return unauthorized(ctx, 'The bearer token is not valid.', 'invalid_token');
      identities.set(ctx.req, { ...principal, via: 'bearer' });
    } else if (session) {
      identities.set(ctx.req, { ...session.principal, via: 'session' });
    }
    await next();
  };
}

/** The token's owner. Throws 429 when this address has guessed too often. */
export function principalOf(
  ctx: Context,
  access: Access,
  failures: RateLimit,
  token: string,
): Principal | undefined {
  const wait = failures.peek(ctx.ip);
  if (wait > 0) return tooMany(ctx, wait);
  const principal = access.principalOfToken(token);
  if (!principal) failures.take(ctx.ip);
  return principal;
}

/** Lets through who has the role: 401 for nobody, 403 for somebody else. */
export function requireRole(role: Role): Middleware {
  return async function roleRequired(ctx: Context, next: Next): Promise<void> {
    const identity = identityOf(ctx);
    if (!identity) return unauthorized(ctx, 'Sign in, or send a bearer token.', 'unauthorized');
    if (role === 'admin' && identity.role !== 'admin') {
      ctx.throw(403, 'This needs the admin role.', { code: 'forbidden' });
    }
    await next();
  };
}

function unauthorized(ctx: Context, detail: string, code: string): never {
  const error = code === 'invalid_token' ? ', error="invalid_token"' : '';
  return ctx.throw(401, detail, {
    code,
    headers: { 'www-authenticate': `Bearer realm="otel-token-meter"${error}` },
  });
}
