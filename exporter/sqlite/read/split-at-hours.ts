import type { SplitQuery, TimeRange } from '../../ledger/queries/gather.ts';

const HOUR_MS = 3_600_000;
/** The calls of fewer hours are read at once. */
const MIN_KEPT_HOURS = 3;

/** The whole hours of a range, with their state, and the rest; undefined for a short range. */
export function splitAtHours(
  { fromMs, toMs }: TimeRange,
  stateOf: (firstHour: number, endHour: number) => string,
): SplitQuery | undefined {
  const [first, end] = [Math.ceil(fromMs / HOUR_MS), Math.floor(toMs / HOUR_MS)];
  if (end - first < MIN_KEPT_HOURS) return undefined;
  const rest = outsideHours({ fromMs, toMs });
  const kept = [{ fromMs: first * HOUR_MS, toMs: end * HOUR_MS }];
  return { kept, rest, state: stateOf(first, end) };
}

/** What lies before and after the whole hours of a range. */
export function outsideHours({ fromMs, toMs }: TimeRange): readonly TimeRange[] {
  const [first, end] = [Math.ceil(fromMs / HOUR_MS), Math.floor(toMs / HOUR_MS)];
  if (first > end) return [{ fromMs, toMs }];
  return [
    { fromMs, toMs: first * HOUR_MS },
    { fromMs: end * HOUR_MS, toMs },
  ].filter((range) => range.fromMs < range.toMs);
}
