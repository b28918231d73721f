import type { Context } from 'koa';
import type { SettingsPatch } from 'otel-token-meter/settings';
import { z } from 'zod';
import { teamsOf } from '../middleware/authentication.ts';
import { isKnown } from '../middleware/etag.ts';
import { RateLimit } from '../middleware/rate-limit.ts';
import { auditLog, instanceList, passingChanges, problem } from '../schemas.ts';
import type { ApiAnswer } from './api-answer.ts';
import { etag, ifMatch, ifNoneMatch, retryAfter } from './api-headers.ts';
import { type ApiRoute, apiRoute } from './api-route.ts';
import { attributed, changeSettings, describeSettings, fromStore } from './settings-change.ts';
import {
  type EventsDocument,
  type SettingsEventsOptions,
  settingsEventsRoute,
} from './settings-events.ts';
import {
  etagOf,
  listedInstances,
  shownPassing,
  shownInstances,
  shownSettings,
  versionAskedFor,
} from './settings-wire.ts';

/** One document of live settings, as the API shows it. */
export interface SettingsDocument<T> extends EventsDocument<T> {
  /** For summaries: `settings`, `budgets`. */
  readonly noun: string;
  readonly schema: z.ZodType;
  readonly patchSchema: z.ZodType;
  readonly bodyLimitBytes: number;
  /** The part of an audit entry that this request may see; undefined for none. @default all, without the reason for a viewer of some teams */
  readonly shownEntry?: (ctx: Context, entry: ShownEntry) => ShownEntry | undefined;
}

type ShownEntry = z.output<typeof auditLog>['entries'][number];

export interface SettingsRoutesOptions<T extends object> extends SettingsEventsOptions<T> {
  /** Each caller may make so many changes a minute. @default 60 */
  readonly changesPerMinute?: number;
}

/** Of answers that hold the settings. */
export const settingsHeaders = z.object({
  ...etag,
  'settings-version': z.string().describe('Version of the settings in the answer'),
  'settings-stale-since': z
    .string()
    .optional()
    .describe('Since when the store cannot be reached; absent while it can'),
});

export const STORE_AWAY: ApiAnswer = {
  description: 'The store cannot be reached or written; the settings in force stay',
  headers: z.object({ 'retry-after': retryAfter['retry-after'].optional() }),
};

export const reasonQuery = z.strictObject({
  reason: z
    .string()
    .trim()
    .max(200)
    // Without a property escape, which many readers of the description do not know.
    // eslint-disable-next-line no-control-regex
    .regex(/^[^\u0000-\u001f\u007f-\u009f]*$/, 'must not hold control characters')
    .optional()
    .describe('Why, for the audit log'),
  until: z.iso
    .datetime({ offset: true })
    .optional()
    .describe('When the change ends by itself, at most a year ahead; what was before comes back'),
});

/** Each of these asks the store. */
const LOOKS_PER_MINUTE = 300;
/** Of the audit log in one answer. */
const MAX_ENTRIES = 1000;

/** A document of settings over HTTP: viewers read, admins change. */
export function documentRoutes<T extends object>(
  document: SettingsDocument<T>,
  options: SettingsRoutesOptions<T>,
): readonly ApiRoute[] {
  const { settings, changesPerMinute = 60 } = options;
  const { path, noun, schema } = document;
  const shown = document.shown ?? ((_ctx: Context, all: T) => all);
  const looks = new RateLimit({ perMinute: LOOKS_PER_MINUTE });
  return [
    apiRoute({
      method: 'get',
      path,
      summary: `The ${noun} in force`,
      role: 'viewer',
      headers: z.object(ifNoneMatch),
      answers: {
        200: { description: 'With ETag', schema, headers: settingsHeaders },
        304: { description: `If-None-Match named the ${noun} in force`, headers: settingsHeaders },
      },
      handle(ctx) {
        const all = shownSettings(settings);
        const answered = { ...all, settings: shown(ctx, all.settings) };
        if (isKnown(ctx, etagOf(answered))) ctx.status = 304;
        else ctx.body = answered.settings;
        describeSettings(ctx, settings, answered);
      },
    }),
    apiRoute({
      method: 'patch',
      path,
      summary: `Change ${noun} by a JSON merge patch; If-Match refuses to overwrite a newer change`,
      role: 'admin',
      limit: new RateLimit({ perMinute: changesPerMinute }),
      query: reasonQuery,
      body: {
        schema: document.patchSchema,
        limitBytes: document.bodyLimitBytes,
        types: ['application/merge-patch+json'],
      },
      headers: z.object(ifMatch),
      answers: {
        200: {
          description: `The ${noun} after the change`,
          schema,
          headers: settingsHeaders,
        },
        412: versionMismatch(schema),
        503: STORE_AWAY,
      },
      async handle(ctx, { query, headers, body }) {
        const ifVersion = versionAskedFor(headers['if-match'] ?? '', settings);
        const changed = await changeSettings(ctx, settings, body as SettingsPatch<T>, {
          ...attributed(ctx, query),
          ...(ifVersion !== undefined && { ifVersion }),
        });
        ctx.body = changed.settings;
        describeSettings(ctx, settings, changed);
      },
    }),
    apiRoute({
      method: 'get',
      path: `${path}/audit`,
      summary: 'Who changed what when, newest first',
      role: 'viewer',
      limit: looks,
      query: z.strictObject({
        limit: z.coerce
          .number()
          .int()
          .min(1)
          .max(MAX_ENTRIES)
          .default(100)
          .describe('How many entries'),
      }),
      answers: {
        200: { description: 'The newest entries', schema: auditLog },
        503: STORE_AWAY,
      },
      async handle(ctx, { query }) {
        // Entries that this viewer may not see take no place of those that he may.
        const asked = teamsOf(ctx) === undefined ? query.limit : MAX_ENTRIES;
        const entries = await fromStore(ctx, settings.audit(asked));
        const { shownEntry = withoutReason } = document;
        const shownEntries = entries.flatMap((entry) => shownEntry(ctx, entry) ?? []);
        ctx.body = { entries: shownEntries.slice(0, query.limit) };
      },
    }),
    apiRoute({
      method: 'get',
      path: `${path}/passing`,
      summary: 'Changes in force that end by themselves',
      role: 'viewer',
      answers: { 200: { description: 'The first to end comes first', schema: passingChanges } },
      handle(ctx) {
        ctx.body = { changes: shownPassing(ctx, document, settings) };
      },
    }),
    apiRoute({
      method: 'get',
      path: `${path}/instances`,
      summary: 'Which instance applies which version; silent ones disappear after 30 s',
      role: 'viewer',
      limit: looks,
      answers: { 200: { description: 'Sorted by id', schema: instanceList }, 503: STORE_AWAY },
      async handle(ctx) {
        ctx.body = shownInstances(ctx, await fromStore(ctx, listedInstances(settings)));
      },
    }),
    settingsEventsRoute(document, options),
  ];
}

/** What somebody wrote may name teams that this viewer must not see. */
function withoutReason(ctx: Context, entry: ShownEntry): ShownEntry {
  const { reason: _reason, ...rest } = entry;
  return teamsOf(ctx) === undefined ? entry : rest;
}

/** A change that was based on another version. */
export function versionMismatch(schema: z.ZodType): ApiAnswer {
  return {
    description: 'Somebody else made a change since; `current` holds it',
    type: 'application/problem+json',
    schema: problem.extend({ version: z.int(), current: schema }),
    headers: z.object(etag),
  };
}
