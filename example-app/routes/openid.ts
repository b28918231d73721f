import type { Context } from 'koa';
import { z } from 'zod';
import type { Logger } from '../logger.ts';
import type { Access } from '../middleware/access.ts';
import { RateLimit } from '../middleware/rate-limit.ts';
import { setSessionCookie } from '../middleware/session-cookie.ts';
import type { Signer } from '../middleware/signer.ts';
import { type OpenIdProvider, type SignInChecks, SignInError } from '../openid/openid-provider.ts';
import { type ApiRoute, apiRoute } from './api-route.ts';

export interface OpenIdSignIn {
  readonly provider: Pick<OpenIdProvider, 'name' | 'begin' | 'finish'>;
  readonly signer: Signer;
  readonly log: Pick<Logger, 'info' | 'warn'>;
  readonly now?: () => number;
}

export interface OpenIdRoutesOptions extends OpenIdSignIn {
  readonly access: Access;
}

/** A sign-in under way, kept by the browser. */
interface Begun extends SignInChecks {
  readonly back: string;
  readonly expiresAt: number;
}

const PATH = '/sign-in/openid';
const COOKIE = 'token_meter_openid';
const MINUTES = 10;
/** Of one address, which many people may share. Each asks the provider. */
const PER_MINUTE = 60;

const beginning = z.strictObject({
  back: z
    .string()
    .max(2000)
    .regex(/^\/[\x21-\x7e]*$/, 'must be a path')
    .default('/')
    .describe('Where the browser goes in the end'),
});

/** Signing in with OpenID Connect: the browser goes to the provider and comes back with a code. */
export function openIdRoutes(options: OpenIdRoutesOptions): readonly ApiRoute[] {
  const { access, provider, signer, log, now = Date.now } = options;
  return [
    apiRoute({
      method: 'post',
      path: '/api/session/openid',
      summary: 'Begin to sign in with OpenID Connect: the address to send the browser to',
      role: 'anyone',
      limit: new RateLimit({ perMinute: PER_MINUTE }),
      body: { schema: beginning, limitBytes: 4096 },
      answers: {
        200: { description: 'Where to go', schema: z.strictObject({ url: z.url() }) },
        503: { description: 'The provider cannot be reached' },
      },
      async handle(ctx, { body: { back } }) {
        const { url, checks } = await provider
          .begin(callbackOf(ctx).href)
          .catch((error: unknown) => {
            if (!(error instanceof SignInError)) throw error;
            log.warn(error.message);
            return ctx.throw(503, 'The OpenID Connect provider cannot be reached.', {
              code: 'provider_unavailable',
              expose: true,
              headers: { 'retry-after': '10' },
            });
          });
        const expiresAt = now() + MINUTES * 60_000;
        const begun: Begun = { ...checks, back, expiresAt };
        setCookie(ctx, signer.sign(begun));
        ctx.body = { url: url.href };
      },
    }),
    apiRoute({
      method: 'get',
      path: PATH,
      summary: 'Where the OpenID Connect provider sends the browser back to',
      role: 'anyone',
      limit: new RateLimit({ perMinute: PER_MINUTE }),
      answers: {
        303: {
          description: 'To the sign-in page, which continues or says why not',
          headers: z.object({ location: z.string() }),
          type: 'text/html',
          schema: z.string(),
          also: { 'text/plain': z.string() },
        },
      },
      async handle(ctx) {
        const begun = signer.open(ctx.cookies.get(COOKIE) ?? '') as Begun | undefined;
        // One code, one try.
        setCookie(ctx, undefined);
        ctx.set('cache-control', 'no-store');
        const next = new URLSearchParams({ back: begun?.back ?? '/' });
        try {
          if (!begun || begun.expiresAt <= now()) {
            throw new SignInError(
              'expired',
              'the browser did not begin to sign in, or too long ago',
            );
          }
          const principal = await provider.finish(callbackOf(ctx, ctx.search), begun);
          const { value, expiresAt } = access.createSession(principal);
          setSessionCookie(ctx, value, expiresAt);
          log.info(`${principal.name} signed in as ${principal.role} with OpenID Connect`);
          next.set('signed-in', 'openid');
        } catch (error) {
          if (!(error instanceof SignInError)) throw error;
          log.warn(`nobody was signed in with OpenID Connect: ${error.message}`);
          next.set('problem', error.problem);
        }
        // Always to the own page: that one alone decides where `back` may lead.
        ctx.status = 303;
        ctx.redirect(`/sign-in?${next.toString()}`);
      },
    }),
  ];
}

/** The address that the provider knows, under the name that the browser uses. */
function callbackOf(ctx: Context, search = ''): URL {
  const origin = `${ctx.protocol}://${ctx.host}`;
  if (!URL.canParse(PATH, origin)) ctx.throw(400, 'The Host header is not valid.');
  const address = new URL(PATH, origin);
  address.search = search;
  return address;
}

/**
 * Lax: the browser comes back from another site, where a stricter one would stay behind. Without a time
 * of its own, which a browser would judge by its clock.
 */
function setCookie(ctx: Context, value: string | undefined): void {
  ctx.cookies.set(COOKIE, value, {
    path: PATH,
    httpOnly: true,
    sameSite: 'lax',
    secure: ctx.secure,
    overwrite: true,
  });
}
