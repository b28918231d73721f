import { TokenMeterError } from '../../../src/errors.ts';
import { TimeZone, dayLabel } from '../queries/time-zone.ts';
import type { UsageFilter, UsageGroup, UsageReader, UsageRow } from '../usage-query.ts';
import { type ForecastMetric, forecastMetric, type MetricForecast } from './month-forecast.ts';
import { type Month, monthOf } from './month.ts';
import { FORECAST_CONFIDENCE, REQUIRED_DAYS } from './project-days.ts';

export interface UsageForecastQuery {
  /** Only these calls. */
  readonly filter?: UsageFilter;
  /** IANA time zone of the month and its days. @default 'UTC' */
  readonly timeZone?: string;
  /** @default the time of day */
  readonly now?: Date;
  readonly signal?: AbortSignal;
}

/** What the current calendar month will hold at its end. */
export interface UsageForecast {
  /** The month, RFC 3339 in UTC; `to` is exclusive. */
  readonly from: string;
  readonly to: string;
  readonly timeZone: string;
  /** When it was made, RFC 3339. */
  readonly time: string;
  /** First complete day of the history, `2026-10-25`; absent without any. */
  readonly historyFrom?: string;
  /** Complete days that a projection requires. */
  readonly requiredDays: number;
  /** Chance that the end of the month is in the range, 0 to 1. */
  readonly confidence: number;
  /** A metric that no call of the month has is absent. */
  readonly metrics: Readonly<Partial<Record<ForecastMetric, MetricForecast>>>;
}

const METRICS: readonly ForecastMetric[] = [
  'costUsd',
  'totalTokens',
  'inputTokens',
  'outputTokens',
  'calls',
];
const DAY_MS = 86_400_000;
/** Half a year: enough months to learn how wrong a projection is. */
export const HISTORY_DAYS = 182;

/**
 * Projects the current month from the ledger's daily sums of half a year. Rejects as the reader
 * does, and with `INVALID_OPTION` for an unknown time zone.
 */
export async function forecastUsage(
  reader: Pick<UsageReader, 'summary'>,
  { filter, timeZone = 'UTC', now = new Date(), signal }: UsageForecastQuery = {},
): Promise<UsageForecast> {
  if (Number.isNaN(now.getTime())) {
    throw new TokenMeterError('INVALID_OPTION', 'forecast: now must be a valid Date', {
      value: now,
      allowed: 'a valid Date',
    });
  }
  const zone = await TimeZone.load(timeZone);
  const month = monthOf(zone, now.getTime());
  const rows = await dailyRows(reader, month, zone, {
    to: now,
    ...(filter && { filter }),
    ...(signal && { signal }),
  });
  const first = Math.min(...rows.keys()) + 1;
  const forecasts = METRICS.map((metric) => [metric, forecastMetric(rows, month, metric)] as const);
  return {
    from: new Date(month.fromMs).toISOString(),
    to: new Date(month.toMs).toISOString(),
    timeZone,
    time: now.toISOString(),
    ...(first < month.today && { historyFrom: dayLabel(first) }),
    requiredDays: REQUIRED_DAYS,
    confidence: FORECAST_CONFIDENCE,
    metrics: Object.fromEntries(forecasts.filter(([, forecast]) => forecast !== undefined)),
  };
}

async function dailyRows(
  reader: Pick<UsageReader, 'summary'>,
  { today }: Month,
  zone: TimeZone,
  query: { readonly to: Date; readonly filter?: UsageFilter; readonly signal?: AbortSignal },
): Promise<ReadonlyMap<number, UsageRow>> {
  const from = new Date(zone.startOfDay(today - HISTORY_DAYS));
  const groupBy: readonly UsageGroup[] = ['day'];
  const { rows } = await reader.summary({ ...query, from, groupBy, timeZone: zone.name });
  return new Map(rows.map((row) => [dayOf(row), row]));
}

/** Days since 1970 of a row grouped by day. */
export function dayOf({ day = '' }: UsageRow): number {
  return Date.parse(day) / DAY_MS;
}
