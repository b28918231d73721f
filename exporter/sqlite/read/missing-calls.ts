import type { DatabaseSync } from 'node:sqlite';
import type { CheckedQuery } from '../../ledger/queries/checked-query.ts';
import type { TimeRange } from '../../ledger/queries/gather.ts';
import { keptFrom } from '../kept-from.ts';
import { outsideHours } from './split-at-hours.ts';
import { dayKindFor, isRolledUp, rollUpsFor, summedParts } from './summary-sql.ts';

const HOUR_MS = 3_600_000;

/** Parts of a query's range that its sums do not answer, and whose calls retention has removed. */
export function missingCalls(
  database: DatabaseSync,
  query: CheckedQuery,
  summedDays: ReadonlySet<number>,
): readonly TimeRange[] {
  const { calls, sums } = keptFrom(database);
  if (calls === 0n && sums === 0n) return [];
  const { hour } = database.prepare('SELECT min(hour) AS hour FROM usage_hour').get() ?? {};
  // Before the first sums there was nothing, unless they were removed.
  const begin = sums > 0n ? Number(sums) : typeof hour === 'number' ? hour : Infinity;
  const ofCalls = rangesOfCalls(query, summedDays).map((range) => within(range, begin, calls));
  return [within(query, 0, sums), ...ofCalls].filter(({ fromMs, toMs }) => fromMs < toMs);
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
function rangesOfCalls(query: CheckedQuery, summedDays: ReadonlySet<number>): readonly TimeRange[] {
  const outsideDays = summedParts(query, summedDays)?.rest ?? [query];
  if (isRolledUp(query)) {
    const hours = rollUpsFor(query).length === 0 ? [query] : outsideHours(query);
    return query.percentiles ? [...hours, ...outsideDays] : hours;
  }
  return dayKindFor(query) !== undefined && !query.percentiles ? outsideDays : [query];
}
