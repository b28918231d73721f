/**
 * The application as a function of what it stands on; `main.ts` makes the parts and listens.
 *
 * To add an API route: write `routes/<noun>.ts` with a function that returns `apiRoute({ … })`s
 * and hand them over as `routes`. The zod schemas of a route check its requests and describe it in
 * `/openapi.json`; nothing else has to be registered. Errors: `ctx.throw(status, detail,
 * { code, errors?, headers? })` becomes problem+json, anything else thrown a 500 that tells nothing.
 * `event-stream.ts` writes server-sent events.
 *
 * To add a page: `public/<name>.html` (the content of `<main>`) and `public/<name>.js` (its
 * module), and a line in `pages.ts`. Every `.js`, `.css` and `.svg` of `public/` and its folders is
 * served as `/assets/<file>`; files of packages are listed in `pages.ts`. No inline script or style: the
 * policy refuses both. Shared by all pages: `style.css`, `dom.js`, `api.js` (`callApi`),
 * `layout.js` (`identity`: who is signed in), `strings.js` (`t`, formats).
 *
 * To add texts: `strings/<page>.ts`, each entry in every language, and a line in
 * `strings/catalogue.ts`. In HTML they are `{{page.key}}`, in modules `t('page.key', { … })`.
 */
import Koa from 'koa';
import type { Access } from './middleware/access.ts';
import type { Fleet } from './middleware/fleet.ts';
import { protection } from './middleware/protection.ts';
import { RateLimit } from './middleware/rate-limit.ts';
import { webFiles } from './middleware/web-files.ts';
import { type ApiRoute, routerOf } from './routes/api-route.ts';
import { type Readiness, healthRoutes } from './routes/health.ts';
import { openApiRoute } from './routes/openapi.ts';
import { sessionRoutes } from './routes/session.ts';

export interface AppDependencies {
  readonly access: Access;
  /** Of the parts that are built in: settings, usage, chat. */
  readonly routes: readonly ApiRoute[];
  /** For `/readyz`, by name of the part. */
  readonly checks?: Readonly<Record<string, () => Readiness>>;
  /** Aborted when the application shuts down. */
  readonly stopping?: AbortSignal;
  /** How many proxies stand before the application, each adding to X-Forwarded-For. @default 0 */
  readonly proxies?: number;
  /** Told of what failed inside. @default koa's, which writes to stderr */
  readonly onError?: (error: unknown) => void;
  /** What the instances of a fleet share of their callers. */
  readonly fleet?: Pick<Fleet, 'take' | 'revoke' | 'isRevoked'> | undefined;
  /** Shown in `/openapi.json`. */
  readonly version?: string;
}

/** Wrong tokens an address may send a minute. */
const FAILURES_PER_MINUTE = 10;

export function createApp(dependencies: AppDependencies): Koa {
  const { access, checks = {}, stopping, proxies = 0, version = '0.0.0', fleet } = dependencies;
  const failures = new RateLimit({ perMinute: FAILURES_PER_MINUTE });
  const authentication = { access, failures, fleet };
  const app = new Koa({ proxy: proxies > 0, maxIpsCount: proxies });
  const routes = [
    ...dependencies.routes,
    ...sessionRoutes(authentication),
    ...healthRoutes({ checks, stopping }),
  ];
  const openApi = openApiRoute(routes, { title: 'otel-token-meter', version });
  const router = routerOf([...routes, openApi], fleet);
  const { onError = (error) => app.onerror(error as Error) } = dependencies;
  app.on('error', (error: unknown) => {
    if (!isOfTheClient(error)) onError(error);
  });
  for (const middleware of protection(authentication)) app.use(middleware);
  app.use(webFiles()).use(router.routes()).use(router.allowedMethods());
  return app;
}

/**
 * A client that goes away in the middle of an answer, or sends what is no HTTP, is no failure of
 * ours. Errors of the second kind hold the bytes that came, tokens and all: not for a log.
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
