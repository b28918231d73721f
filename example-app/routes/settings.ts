import type { Context } from 'koa';
import {
  type MetricsSettings,
  type PatchOptions,
  type SettingsService,
  TokenMeterError,
} from 'otel-token-meter/settings';
import { z } from 'zod';
import { identityOf } from '../middleware/authentication.ts';
import { isKnown } from '../middleware/etag.ts';
import { RateLimit } from '../middleware/rate-limit.ts';
import {
  auditLog,
  instanceList,
  settingsDocument,
  settingsPatch,
  versionMismatch,
} from '../schemas.ts';
import { etag, ifMatch, ifNoneMatch, retryAfter } from './api-headers.ts';
import { type ApiRoute, apiRoute } from './api-route.ts';
import { type SettingsEventsOptions, settingsEventsRoute } from './settings-events.ts';
import {
  type ShownSettings,
  etagOf,
  listedInstances,
  shownSettings,
  versionAskedFor,
} from './settings-wire.ts';

export interface SettingsRoutesOptions extends SettingsEventsOptions {
  /** Each caller may make so many changes a minute. @default 60 */
  readonly changesPerMinute?: number;
}

const BODY_LIMIT_BYTES = 4096;
/** Of answers that hold the settings. */
const settingsHeaders = z.object({
  ...etag,
  'settings-version': z.string().describe('Version of the settings in the answer'),
  'settings-stale-since': z
    .string()
    .optional()
    .describe('Since when the store cannot be reached; absent while it can'),
});

const STORE_AWAY = {
  description: 'The store cannot be reached or written; the settings in force stay',
  headers: z.object({ 'retry-after': retryAfter['retry-after'].optional() }),
};

/** Each of these asks the store. */
const LOOKS_PER_MINUTE = 300;

/** The settings over HTTP: viewers read, admins change. */
export function settingsRoutes(options: SettingsRoutesOptions): readonly ApiRoute[] {
  const { settings, changesPerMinute = 60 } = options;
  const looks = new RateLimit({ perMinute: LOOKS_PER_MINUTE });
  return [
    apiRoute({
      method: 'get',
      path: '/api/settings/metrics',
      summary: 'The settings in force',
      role: 'viewer',
      headers: z.object(ifNoneMatch),
      answers: {
        200: { description: 'With ETag', schema: settingsDocument, headers: settingsHeaders },
        304: { description: 'If-None-Match named the settings in force', headers: settingsHeaders },
      },
      handle(ctx) {
        const shown = shownSettings(settings);
        if (isKnown(ctx, etagOf(shown))) ctx.status = 304;
        else ctx.body = shown.settings;
        describeSettings(ctx, settings, shown);
      },
    }),
    apiRoute({
      method: 'patch',
      path: '/api/settings/metrics',
      summary:
        'Change settings by a JSON merge patch; If-Match refuses to overwrite a newer change',
      role: 'admin',
      limit: new RateLimit({ perMinute: changesPerMinute }),
      query: z.strictObject({
        reason: z
          .string()
          .trim()
          .max(200)
          // Without a property escape, which many readers of the description do not know.
          // eslint-disable-next-line no-control-regex
          .regex(/^[^\u0000-\u001f\u007f-\u009f]*$/, 'must not hold control characters')
          .optional()
          .describe('Why, for the audit log'),
      }),
      body: {
        schema: settingsPatch,
        limitBytes: BODY_LIMIT_BYTES,
        types: ['application/merge-patch+json'],
      },
      headers: z.object(ifMatch),
      answers: {
        200: {
          description: 'The settings after the change',
          schema: settingsDocument,
          headers: settingsHeaders,
        },
        412: {
          description: 'Somebody else made a change since; `current` holds it',
          type: 'application/problem+json',
          schema: versionMismatch,
          headers: z.object(etag),
        },
        503: STORE_AWAY,
      },
      async handle(ctx, { query, headers, body }) {
        const ifVersion = versionAskedFor(headers['if-match'] ?? '', settings);
        const changed = await change(ctx, settings, body as Partial<MetricsSettings>, {
          actor: identityOf(ctx)?.name ?? 'unknown',
          ...(ifVersion !== undefined && { ifVersion }),
          ...(query.reason && { reason: query.reason }),
        });
        ctx.body = changed.settings;
        describeSettings(ctx, settings, changed);
      },
    }),
    apiRoute({
      method: 'get',
      path: '/api/settings/metrics/audit',
      summary: 'Who changed what when, newest first',
      role: 'viewer',
      limit: looks,
      query: z.strictObject({
        limit: z.coerce.number().int().min(1).max(1000).default(100).describe('How many entries'),
      }),
      answers: {
        200: { description: 'The newest entries', schema: auditLog },
        503: STORE_AWAY,
      },
      async handle(ctx, { query }) {
        ctx.body = { entries: await fromStore(ctx, settings.audit(query.limit)) };
      },
    }),
    apiRoute({
      method: 'get',
      path: '/api/settings/metrics/instances',
      summary: 'Which instance applies which version; silent ones disappear after 30 s',
      role: 'viewer',
      limit: looks,
      answers: { 200: { description: 'Sorted by id', schema: instanceList }, 503: STORE_AWAY },
      async handle(ctx) {
        ctx.body = await fromStore(ctx, listedInstances(settings));
      },
    }),
    settingsEventsRoute(options),
  ];
}

function describeSettings(
  ctx: Context,
  { status }: SettingsService<MetricsSettings>,
  shown: ShownSettings,
): void {
  ctx.set('cache-control', 'no-cache');
  ctx.set('etag', etagOf(shown));
  ctx.set('settings-version', String(shown.version));
  if (status.staleSince !== undefined) ctx.set('settings-stale-since', status.staleSince);
}

async function change(
  ctx: Context,
  settings: SettingsService<MetricsSettings>,
  patch: Partial<MetricsSettings>,
  options: PatchOptions,
): Promise<ShownSettings> {
  try {
    const changed = await fromStore(ctx, settings.patch(patch, options));
    return { ...changed, epoch: settings.epoch };
  } catch (error) {
    if (!(error instanceof TokenMeterError) || error.code !== 'SETTINGS_CONFLICT') throw error;
    const { by } = settings.updated;
    const current = shownSettings(settings);
    return ctx.throw(412, `${by ?? 'Somebody else'} changed the settings since you read them.`, {
      code: 'version_mismatch',
      headers: { etag: etagOf(current) },
      extensions: { version: current.version, current: current.settings },
    });
  }
}

/** Never the store's own words: they name hosts and paths. */
async function fromStore<R>(ctx: Context, answer: Promise<R>): Promise<R> {
  try {
    return await answer;
  } catch (error) {
    const code = error instanceof TokenMeterError ? error.code : undefined;
    if (code === 'STORE_READ_ONLY') {
      return ctx.throw(
        503,
        'The settings store refuses changes; the log of the application says why.',
        {
          code: 'store_read_only',
          expose: true,
        },
      );
    }
    if (code !== 'STORE_UNAVAILABLE') throw error;
    return ctx.throw(
      503,
      'The settings store cannot be reached. The last known settings stay in force.',
      {
        code: 'store_unavailable',
        expose: true,
        headers: { 'retry-after': '5' },
      },
    );
  }
}
