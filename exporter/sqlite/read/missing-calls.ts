import type { DatabaseSync } from 'node:sqlite';
import type { CheckedQuery } from '../../ledger/queries/checked-query.ts';
import type { TimeRange } from '../../ledger/queries/gather.ts';
import { keptFrom } from '../kept-from.ts';
import { outsideHours } from './split-at-hours.ts';
import { dayKindFor, isRolledUp, type LedgerDays, rollUpsFor, summedParts } from './summary-sql.ts';

const HOUR_MS = 3_600_000;

/** Parts of a query's range that its sums do not answer, and whose calls retention has removed. */
export function missingCalls(
  database: DatabaseSync,
  query: CheckedQuery,
  days: LedgerDays,
): readonly TimeRange[] {
  const { calls, sums } = keptFrom(database);
  if (calls === 0n && sums === 0n) return [];
  const ofCalls = rangesOfCalls(query, days)
    .map((range) => within(range, sums, calls))
    .flatMap((range) => hoursWithSums(database, range));
  return [within(query, 0, sums), ...ofCalls].filter(({ fromMs, toMs }) => fromMs < toMs);
}

/** The range from the first to the last hour with sums. Where no sums were removed and there are none, nobody called. */
function hoursWithSums(database: DatabaseSync, range: TimeRange): readonly TimeRange[] {
  if (range.fromMs >= range.toMs) return [];
  const found = (which: 'min' | 'max'): string =>
    `(SELECT ${which}(hour) FROM usage_hour WHERE hour >= ?1 AND hour < ?2) AS ${which}`;
  const { min, max } =
    database
      .prepare(`SELECT ${found('min')}, ${found('max')}`)
      .get(Math.floor(range.fromMs / HOUR_MS), Math.ceil(range.toMs / HOUR_MS)) ?? {};
  if (typeof min !== 'number' || typeof max !== 'number') return [];
  return [within(range, min, max + 1)];
}

/** The part of a range between two hours. */
const within = (
  { fromMs, toMs }: TimeRange,
  first: number | bigint,
  end: number | bigint,
): TimeRange => ({
  fromMs: Math.max(fromMs, Number(first) * HOUR_MS),
  toMs: Math.min(toMs, Number(end) * HOUR_MS),
});

/** What calls alone answer. */
function rangesOfCalls(query: CheckedQuery, days: LedgerDays): readonly TimeRange[] {
  const outsideDays = summedParts(query, days)?.rest ?? [query];
  if (isRolledUp(query)) {
    const hours = rollUpsFor(query).length === 0 ? [query] : outsideHours(query);
    return query.percentiles ? [...hours, ...outsideDays] : hours;
  }
  return dayKindFor(query) !== undefined && !query.percentiles ? outsideDays : [query];
}
