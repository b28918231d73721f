import type { UsageNumbers, UsageRow } from '../usage-query.ts';
import type { Month } from './month.ts';
import { projectDays } from './project-days.ts';

export type ForecastMetric = 'calls' | 'inputTokens' | 'outputTokens' | 'totalTokens' | 'costUsd';

/** One metric of a calendar month. Tokens, US dollars or calls. */
export interface MetricForecast {
  /** From the start of the month until now. */
  readonly used: number;
  /** At the end of the month. Absent with too little history. */
  readonly projected?: number;
  /** The range that holds the end of the month with a chance of 80 %. */
  readonly low?: number;
  readonly high?: number;
  /** Complete days that the projection is based on, or would be. */
  readonly days: number;
  /** Part of the cost, or of the tokens of this month, is unknown: the numbers are the least. */
  readonly atLeast?: true;
}

/** Rows by day since 1970; days without calls are missing. */
export type DailyRows = ReadonlyMap<number, UsageRow>;

/** Undefined where there are calls in the month and none has the metric. */
export function forecastMetric(
  rows: DailyRows,
  month: Month,
  metric: ForecastMetric,
): MetricForecast | undefined {
  const valueOf = (day: number): number | undefined => {
    const row = rows.get(day);
    return row === undefined ? 0 : row[metric];
  };
  const thisMonth = daysFrom(month.firstDay, month.today + 1);
  const isSeen = thisMonth.some((day) => rows.has(day));
  if (isSeen && !thisMonth.some((day) => rows.get(day)?.[metric] !== undefined)) return undefined;
  const known = thisMonth.map(valueOf).filter((value) => value !== undefined);
  const used = known.reduce((sum, value) => sum + value, 0);
  const history = daysFrom(firstCompleteDay(rows, month), month.today).map(valueOf);
  const days = history.filter((value) => value !== undefined).length;
  const isLeast =
    known.length < thisMonth.length || (metric === 'costUsd' && isPartial(rows.values()));
  const forecast = { used, days, ...(isLeast && { atLeast: true as const }) };
  const projection = projectDays(history, month.endDay - month.today);
  if (projection === undefined) return forecast;
  const [today = 0, ...later] = projection.days;
  // What is left of today: its first hours are in `used`.
  const rest = Math.max(0, today - (valueOf(month.today) ?? 0));
  const remaining = later.reduce((sum, value) => sum + value, rest);
  const rounded = (value: number): number =>
    metric === 'costUsd' ? Math.round(value * 1e6) / 1e6 : Math.round(value);
  return {
    ...forecast,
    projected: Math.max(used, rounded(used + remaining)),
    low: Math.max(used, rounded(used + remaining * projection.lowFactor)),
    high: Math.max(used, rounded(used + remaining * projection.highFactor)),
  };
}

/** The first day with calls is left out: recording may have begun in the middle of it. */
function firstCompleteDay(rows: DailyRows, { today }: Month): number {
  const first = Math.min(...rows.keys());
  return Number.isFinite(first) ? first + 1 : today;
}

function isPartial(rows: Iterable<UsageNumbers>): boolean {
  for (const row of rows) if (row.unpricedCalls + row.partialCostCalls > 0) return true;
  return false;
}

function daysFrom(first: number, end: number): readonly number[] {
  return Array.from({ length: Math.max(0, end - first) }, (_, index) => first + index);
}
