import type { ExporterStatus, StoreBacklog, UsageAlert } from 'otel-token-meter/exporter';
import type { MetricsSettings, SettingsService } from 'otel-token-meter/settings';
import { z } from 'zod';
import { teamsOf } from '../middleware/authentication.ts';
import { type ApiRoute, apiRoute } from './api-route.ts';

const counts = z.record(z.string(), z.int().nonnegative());
const time = z.iso.datetime({ offset: true });

/** Of this instance: what the dashboard must say before its numbers can be believed. */
const usageHealth = z.strictObject({
  exporter: z
    .strictObject({
      state: z.enum(['ok', 'retrying', 'failing', 'closed']),
      accepted: z.int(),
      delivered: z.int(),
      pending: z.int().optional(),
      oldest_age_ms: z.number().optional().describe('Of the record that waits longest'),
      dropped: counts.describe('By reason, since the start of the process'),
      cleaned: counts.optional().describe('Single values left out of records, by reason'),
      volatile: z.int().optional().describe('In memory only, because the disk takes none'),
      handed_over: z.int().optional().describe('Taken over by another process'),
      retries: z.int(),
      spool_bytes: z.int(),
      last_success: time.optional(),
      last_error: z.strictObject({ time, code: z.string(), message: z.string() }).optional(),
    })
    .optional()
    .describe('Absent when nothing is exported'),
  backlogs: z
    .array(z.strictObject({ destination: z.string(), lines: z.int(), oldest: time.optional() }))
    .describe('Records of former destinations that no process sends any more'),
  settings: z
    .strictObject({
      enabled: z.boolean(),
      token_statistics: z.boolean(),
      version: z.int(),
      state: z.enum(['ready', 'stale', 'unknown']),
      stale_since: time.optional(),
      updated_at: time.optional(),
      updated_by: z.string().optional(),
    })
    .optional(),
  prices: z
    .strictObject({
      name: z.string(),
      date: z.string().optional().describe('Of publication, or of the download'),
      file: z.string().optional().describe('Of a downloaded list'),
      overrides: z.string().optional(),
      problem: z.string().optional().describe('Why a newer list is not in use'),
      currency: z
        .strictObject({ code: z.string(), usd_per_unit: z.number(), date: z.string().optional() })
        .optional()
        .describe('Of display, unless it is the US dollar; costs are in US dollars'),
    })
    .optional()
    .describe('Where prices come from'),
  dimensions: z
    .array(z.string())
    .describe('Configured names that calls are grouped and filtered by: dimension. and the name'),
  alerts: z
    .array(
      z.strictObject({
        rule: z.string(),
        level: z.enum(['warning', 'alert']),
        metric: z.string(),
        by: z.string().describe('user, model, team, dimension. and a name, or all.'),
        key: z.string().nullable(),
        value: z.number().optional(),
        at_least: z
          .boolean()
          .optional()
          .describe('Part of the cost is unknown: the value is the least that was spent'),
        threshold: z.number().optional(),
        no_data: z.boolean(),
        window_ms: z.number(),
        since: time,
      }),
    )
    .describe('Rules that are not ok, worst first'),
});

export type UsageHealth = z.output<typeof usageHealth>;

/** Of the instrumentation, whose types the pages cannot import. */
interface PriceSource extends Omit<NonNullable<UsageHealth['prices']>, 'currency'> {
  readonly currency?: {
    readonly code: string;
    readonly usdPerUnit: number;
    readonly date?: string;
  };
}

/** The parts to ask; each may be missing. */
export interface HealthSources {
  readonly exporter?: () => ExporterStatus | undefined;
  readonly backlogs?: () => readonly StoreBacklog[];
  readonly settings?: SettingsService<MetricsSettings>;
  readonly prices?: () => PriceSource | undefined;
  /** Names of the configured dimensions. @default none */
  readonly dimensions?: readonly string[];
  /** Not `ok`, worst first: `UsageAlerts.status().active`. */
  readonly alerts?: (teams?: readonly string[]) => readonly UsageAlert[];
}

/** To a viewer of `teams`, without what may name others. */
export function healthOf(
  { exporter, backlogs, settings, prices, dimensions = [], alerts }: HealthSources,
  teams?: readonly string[],
): UsageHealth {
  const status = exporter?.();
  const source = prices?.();
  return {
    ...(status && { exporter: exporterHealth(status, teams === undefined) }),
    backlogs: (backlogs?.() ?? []).flatMap(({ isCurrent, isOwned, destination, lines, oldest }) => {
      if (isCurrent || isOwned) return [];
      const { bucket = '?', url = '?' } = destination;
      return [{ destination: `${bucket}, ${url}`, lines, ...(oldest !== undefined && { oldest }) }];
    }),
    ...(settings && { settings: settingsHealth(settings) }),
    ...(source && { prices: pricesHealth(source) }),
    dimensions: [...dimensions],
    alerts: (alerts?.(teams) ?? []).map(({ noData, windowMs, time: since, level, ...alert }) => ({
      rule: alert.rule,
      level: level === 'alert' ? 'alert' : 'warning',
      metric: alert.metric,
      by: alert.by,
      key: alert.key,
      ...(alert.value !== undefined && { value: alert.value }),
      ...(alert.atLeast && { at_least: true }),
      ...(alert.threshold !== undefined && { threshold: alert.threshold }),
      no_data: noData,
      window_ms: windowMs,
      since,
    })),
  };
}

/** `GET /api/usage/health`. */
export function dashboardHealthRoute(sources: HealthSources): ApiRoute {
  return apiRoute({
    method: 'get',
    path: '/api/usage/health',
    summary: 'Whether the numbers can be believed: exporter, settings, prices, alerts',
    role: 'viewer',
    answers: { 200: { description: 'Of the instance that answers', schema: usageHealth } },
    handle(ctx) {
      ctx.body = healthOf(sources, teamsOf(ctx));
    },
  });
}

function exporterHealth(
  status: ExporterStatus,
  withMessages: boolean,
): NonNullable<UsageHealth['exporter']> {
  const { oldestAgeMs, lastSuccess, lastError, pending, volatile, handedOver, cleaned } = status;
  return {
    state: status.state,
    accepted: status.accepted,
    delivered: status.delivered,
    ...(pending !== undefined && { pending }),
    ...(oldestAgeMs !== undefined && { oldest_age_ms: oldestAgeMs }),
    dropped: { ...status.dropped },
    ...(cleaned && { cleaned: { ...cleaned } }),
    ...(volatile !== undefined && { volatile }),
    ...(handedOver !== undefined && { handed_over: handedOver }),
    retries: status.retries,
    spool_bytes: status.spoolBytes,
    ...(lastSuccess !== undefined && { last_success: lastSuccess }),
    // A server's message may quote a refused tag.
    ...(lastError && withMessages && { last_error: { ...lastError } }),
  };
}

function pricesHealth({ currency, ...source }: PriceSource): NonNullable<UsageHealth['prices']> {
  return {
    ...source,
    ...(currency && {
      currency: {
        code: currency.code,
        usd_per_unit: currency.usdPerUnit,
        ...(currency.date !== undefined && { date: currency.date }),
      },
    }),
  };
}

function settingsHealth(
  settings: SettingsService<MetricsSettings>,
): NonNullable<UsageHealth['settings']> {
  const { version, updated, status } = settings;
  return {
    ...settings.get(),
    version,
    state: status.state,
    ...(status.staleSince !== undefined && { stale_since: status.staleSince }),
    ...(updated.at !== undefined && { updated_at: updated.at }),
    ...(updated.by !== undefined && { updated_by: updated.by }),
  };
}
