/**
 * Creates the application from its dependencies. `main.ts` creates these and listens.
 *
 * To add an API route: write `routes/<noun>.ts` with a function that returns `apiRoute({ … })`s and
 * pass them as `routes`. The zod schemas of a route validate its requests and describe it in
 * `/openapi.json`. Errors: `ctx.throw(status, detail, { code, errors?, headers? })` becomes
 * problem+json; any other error becomes a 500 without details. `event-stream.ts` writes server-sent
 * events.
 *
 * To add a page: add a line to `pages.ts` and its component to `console/pages.tsx`. The console is
 * bundled when it is first asked for (`middleware/console-bundle.ts`); the CSP forbids inline
 * scripts and styles. What its answers look like is inferred from the schemas of the routes
 * (`console/api/contract.ts`).
 *
 * To add texts: add entries in every language to `strings/<page>.ts`, and for a new page a line to
 * `strings/catalogue.ts`. Use them as `t('page.key', { … })`.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import Koa from 'koa';
import type { Access } from './middleware/access.ts';
import { consoleFiles } from './middleware/console-files.ts';
import type { Fleet } from './middleware/fleet.ts';
import { protection } from './middleware/protection.ts';
import { RateLimit } from './middleware/rate-limit.ts';
import { type ApiRoute, routerOf } from './routes/api-route.ts';
import { eventsRoute } from './routes/events.ts';
import { type Readiness, healthRoutes } from './routes/health.ts';
import { openApiRoute } from './routes/openapi.ts';
import { type OpenIdSignIn, openIdRoutes } from './routes/openid.ts';
import { sessionRoutes } from './routes/session.ts';

export interface AppDependencies {
  readonly access: Access;
  /** Routes of settings, usage and chat. */
  readonly routes: readonly ApiRoute[];
  /** Checks for `/readyz`, by name of the component. */
  readonly checks?: Readonly<Record<string, () => Readiness>>;
  /** Aborted when the application shuts down. */
  readonly stopping?: AbortSignal;
  /** Number of proxies that append to X-Forwarded-For. @default 0 */
  readonly proxies?: number;
  /** Called with internal errors. @default koa's handler, which writes to stderr */
  readonly onError?: (error: unknown) => void;
  /** What the instances of a fleet share of their callers. */
  readonly fleet?: Pick<Fleet, 'take' | 'revoke' | 'isRevoked'> | undefined;
  /** Where people sign in, besides by token. */
  readonly openId?: OpenIdSignIn | undefined;
  /** Shown in `/openapi.json`. @default the version of the package */
  readonly version?: string;
}

/** Maximum number of wrong tokens per address and minute. */
const FAILURES_PER_MINUTE = 10;

export function createApp(dependencies: AppDependencies): Koa {
  const { access, checks = {}, stopping, proxies = 0, fleet, openId } = dependencies;
  const { version = packageVersion() } = dependencies;
  const failures = new RateLimit({ perMinute: FAILURES_PER_MINUTE });
  const authentication = { access, failures, fleet };
  const app = new Koa({ proxy: proxies > 0, maxIpsCount: proxies });
  const topics = dependencies.routes.flatMap(({ topic }) => topic ?? []);
  const routes = [
    ...dependencies.routes,
    ...sessionRoutes(authentication),
    ...(openId ? openIdRoutes({ access, ...openId }) : []),
    ...healthRoutes({ checks, stopping }),
    ...(topics.length > 0 ? [eventsRoute(topics)] : []),
  ];
  const openApi = openApiRoute(routes, { title: 'otel-token-meter', version });
  const router = routerOf([...routes, openApi], fleet);
  const { onError = (error) => app.onerror(error as Error) } = dependencies;
  app.on('error', (error: unknown) => {
    if (!isOfTheClient(error)) onError(error);
  });
  for (const middleware of protection(authentication)) app.use(middleware);
  app
    .use(consoleFiles({ openId: openId?.provider.name }))
    .use(router.routes())
    .use(router.allowedMethods());
  return app;
}

function packageVersion(): string {
  const path = fileURLToPath(import.meta.resolve('otel-token-meter/package.json'));
  return (JSON.parse(readFileSync(path, 'utf8')) as { readonly version: string }).version;
}

/**
 * A client that disconnects during a response, or sends invalid HTTP, is not an internal error.
 * Parse errors contain the received bytes, including tokens, and must not be logged.
 */
function isOfTheClient(error: unknown): boolean {
  const code = String((error as { readonly code?: unknown } | null)?.code);
  return code.startsWith('HPE_') || CLIENT_GONE.has(code);
}

const CLIENT_GONE: ReadonlySet<string> = new Set([
  'ERR_STREAM_PREMATURE_CLOSE',
  'EPIPE',
  'ECONNRESET',
]);
