import {
  type AuthenticationOptions,
  identityOf,
  principalOf,
  sessionOf,
  teamsOf,
} from '../middleware/authentication.ts';
import { setSessionCookie } from '../middleware/session-cookie.ts';
import { otherSession, signIn, signedIn, whoAmI } from '../schemas.ts';
import { type ApiRoute, apiRoute } from './api-route.ts';

/** Signing in and out: a token becomes a session cookie that scripts cannot read. */
export function sessionRoutes(options: AuthenticationOptions): readonly ApiRoute[] {
  const { access, fleet } = options;
  return [
    apiRoute({
      method: 'post',
      path: '/api/session',
      summary: 'Sign in: a token becomes a session cookie',
      role: 'anyone',
      body: { schema: signIn, limitBytes: 4096 },
      answers: {
        200: { description: 'Signed in', schema: signedIn },
        409: {
          description: 'Somebody else is signed in here; `replace` signs in all the same',
          type: 'application/problem+json',
          schema: otherSession,
        },
      },
      async handle(ctx, { body }) {
        const principal = await principalOf(ctx, options, body.token);
        if (!principal) {
          return ctx.throw(401, 'The token is not valid.', {
            code: 'invalid_token',
            headers: { 'www-authenticate': 'Bearer realm="otel-token-meter"' },
          });
        }
        const before = await sessionOf(ctx, options);
        if (before && !body.replace && before.principal.name !== principal.name) {
          // A link with a foreign token must not swap the session behind somebody's back.
          return ctx.throw(409, `You are signed in as ${before.principal.name}.`, {
            code: 'already_signed_in',
            extensions: { name: before.principal.name, new_name: principal.name },
          });
        }
        const { value, expiresAt } = access.createSession(principal);
        setSessionCookie(ctx, value, expiresAt);
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
        const teams = teamsOf(ctx);
        // Asking who one is is no failure; consoles of browsers would list a 401 as one.
        ctx.body = { name, role, ...(teams && { teams }) };
      },
    }),
    apiRoute({
      method: 'delete',
      path: '/api/session',
      summary: 'Sign out',
      role: 'anyone',
      answers: { 204: { description: 'Signed out' } },
      async handle(ctx) {
        const session = await sessionOf(ctx, options);
        if (session) {
          access.revoke(session);
          await fleet?.revoke(session.id, session.expiresAt);
        }
        setSessionCookie(ctx, '', new Date(0));
        ctx.status = 204;
      },
    }),
  ];
}
