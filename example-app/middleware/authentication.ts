import type { Context, Middleware, Next } from 'koa';
import type { Access, Principal, Role, Session } from './access.ts';
import type { Fleet } from './fleet.ts';
import { type RateLimit, tooMany } from './rate-limit.ts';
import { SESSION_COOKIE } from './session-cookie.ts';

export interface Identity extends Principal {
  /** A cookie comes along with every request, wanted or not; a header does not. */
  readonly via: 'bearer' | 'session';
  /** For answers that go on for long: whether the request would still be taken. */
  readonly isCurrent: () => Promise<boolean>;
}

const identities = new WeakMap<Context['req'], Identity>();

/** Who sends this request; undefined for nobody we know. */
export function identityOf(ctx: Context): Identity | undefined {
  return identities.get(ctx.req);
}

/** The teams that this request may see; undefined for all of them. */
export function teamsOf(ctx: Context): readonly string[] | undefined {
  const identity = identityOf(ctx);
  return identity?.role === 'admin' ? undefined : identity?.teams;
}

/** Whom limits count for. */
export function callerOf(ctx: Context): string {
  const identity = identityOf(ctx);
  return identity ? `name ${identity.name}` : `address ${ctx.ip}`;
}

export interface AuthenticationOptions {
  readonly access: Access;
  /** Counts wrong tokens by address. */
  readonly failures: RateLimit;
  readonly fleet?: Pick<Fleet, 'take' | 'revoke' | 'isRevoked'> | undefined;
}

/** The session of a request; undefined without one that is still valid anywhere. */
export async function sessionOf(
  ctx: Context,
  { access, fleet }: AuthenticationOptions,
): Promise<Session | undefined> {
  const session = access.sessionOf(ctx.cookies.get(SESSION_COOKIE) ?? '');
  return session && (await fleet?.isRevoked(session.id)) ? undefined : session;
}

/**
 * Identifies the sender of a request. Only a wrong bearer token is refused here; routes state the role they
 * need with `requireRole`. Wrong tokens are limited by address: the right one is always taken, so that
 * nobody behind the same address can lock others out.
 */
export function authentication(options: AuthenticationOptions): Middleware {
  return async function authenticated(ctx: Context, next: Next): Promise<void> {
    const header = ctx.get('authorization');
    const session = header === '' ? await sessionOf(ctx, options) : undefined;
    if (header !== '') {
      const token = /^Bearer +(\S+) *$/i.exec(header)?.[1];
      const principal = token && (await principalOf(ctx, options, token));
      if (!principal) return unauthorized(ctx, 'The bearer token is not valid.', 'invalid_token');
      // Tokens change with a restart only.
      identities.set(ctx.req, { ...principal, via: 'bearer', isCurrent: async () => true });
    } else if (session) {
      const isCurrent = async (): Promise<boolean> => (await sessionOf(ctx, options)) !== undefined;
      identities.set(ctx.req, { ...session.principal, via: 'session', isCurrent });
    }
    await next();
  };
}

/** The token's owner. Throws 429 when it has none and this address has guessed too often. */
export async function principalOf(
  ctx: Context,
  { access, failures, fleet }: AuthenticationOptions,
  token: string,
): Promise<Principal | undefined> {
  const principal = access.principalOfToken(token);
  if (principal) return principal;
  const wait =
    failures.take(ctx.ip) || ((await fleet?.take('failures', ctx.ip, failures.perMinute)) ?? 0);
  return wait > 0 ? tooMany(ctx, wait) : undefined;
}

/** Lets through who has the role: 401 for nobody, 403 for somebody else. */
export function requireRole(role: Role): Middleware {
  return async function roleRequired(ctx: Context, next: Next): Promise<void> {
    const identity = identityOf(ctx);
    if (!identity) return unauthorized(ctx, 'Sign in, or send a bearer token.', 'unauthorized');
    if (identity.role !== role && identity.role !== 'admin') {
      ctx.throw(403, `This needs the ${role} role.`, { code: 'forbidden' });
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
