import type { Range } from '../../bill/comparison.ts';
import { TokenMeterError } from '../../errors.ts';

const DAY_MS = 86_400_000;
const MAX_DAYS = 366;

interface RangeValues {
  readonly month?: string | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
}

/** Whole days in UTC: those of the month, from `since` to `until`, or of the previous month. */
export async function reconcileRange(
  { month, since, until }: RangeValues,
  now: Date,
): Promise<Range> {
  if (month !== undefined && (since !== undefined || until !== undefined)) {
    throw invalid('--month', month, 'used without --since and --until');
  }
  if (since === undefined) {
    if (until !== undefined) throw invalid('--until', until, 'used with --since');
    return monthRange(month, now);
  }
  const { parseUsageTime } = await import('otel-token-meter/exporter');
  const from = startOfDay(await parseUsageTime(since, 'UTC', now));
  const to = startOfDay(until === undefined ? now : await parseUsageTime(until, 'UTC', now));
  const days = (to.getTime() - from.getTime()) / DAY_MS;
  if (days < 1 || days > MAX_DAYS) {
    throw invalid('--since', since, `1 to ${MAX_DAYS} days before --until (default: today)`);
  }
  return { from, to };
}

function monthRange(month: string | undefined, now: Date): Range {
  if (month !== undefined && !/^\d{4}-(0[1-9]|1[0-2])$/.test(month)) {
    throw invalid('--month', month, 'a month such as 2026-10');
  }
  const [year, index] =
    month === undefined
      ? [now.getUTCFullYear(), now.getUTCMonth() - 1]
      : [Number(month.slice(0, 4)), Number(month.slice(5)) - 1];
  return { from: new Date(Date.UTC(year, index, 1)), to: new Date(Date.UTC(year, index + 1, 1)) };
}

function startOfDay(time: Date): Date {
  return new Date(Math.floor(time.getTime() / DAY_MS) * DAY_MS);
}

function invalid(option: string, value: string, allowed: string): TokenMeterError {
  return new TokenMeterError('INVALID_OPTION', `${option} ${value} is not valid`, {
    value,
    allowed,
  });
}
