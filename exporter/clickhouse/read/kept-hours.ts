import type { CheckedQuery } from '../../ledger/queries/checked-query.ts';
import type { SplitQuery, TimeRange } from '../../ledger/queries/gather.ts';
import type { ClickHouseSession } from '../clickhouse-session.ts';
import { CELLS, QUIET_MINUTES } from '../schema/roll-ups.ts';

const HOUR_MS = 3_600_000;
/** The calls of fewer hours are read at once. */
const MIN_KEPT_HOURS = 3;
/** With more, the questions about the rest would be longer than the work that they save. */
const MAX_RECENT = 20;

/**
 * Whole hours whose last insert is over for long, and the rest; undefined where there are none. An insert may be seen
 * later than its mark is, so an hour that was changed lately is not kept.
 */
export async function keptHours(
  session: ClickHouseSession,
  { fromMs, toMs }: Pick<CheckedQuery, 'fromMs' | 'toMs'>,
  signal: AbortSignal | undefined,
): Promise<SplitQuery | undefined> {
  const first = Math.ceil(fromMs / HOUR_MS) * HOUR_MS;
  const end = Math.floor(toMs / HOUR_MS) * HOUR_MS;
  if (end - first < MIN_KEPT_HOURS * HOUR_MS) return undefined;
  const [row = {}] = await session.rows(
    {
      text: `SELECT toString(sum(cityHash64(shard, cell, changed_at))) AS state,
          groupArraySortedIf(${MAX_RECENT + 1})(toUnixTimestamp(cell),
            changed_at + INTERVAL ${QUIET_MINUTES} MINUTE > now64(3, 'UTC')) AS recent
        FROM (SELECT shard, cell, max(changed) AS changed_at FROM ${CELLS}
          WHERE roll_up = 'hourly' AND toUnixTimestamp(cell) >= {from:UInt64}
            AND toUnixTimestamp(cell) < {to:UInt64}
          GROUP BY shard, cell)`,
      values: { from: first / 1000, to: end / 1000 },
    },
    { signal },
  );
  const recent = (row['recent'] as readonly number[]).map((second) => second * 1000);
  if (recent.length > MAX_RECENT) return undefined;
  const kept: TimeRange[] = [];
  const rest: TimeRange[] = [];
  const add = (ranges: TimeRange[], from: number, to: number): void => {
    if (from < to) ranges.push({ fromMs: from, toMs: to });
  };
  add(rest, fromMs, first);
  let at = first;
  for (const hour of new Set(recent)) {
    add(kept, at, hour);
    add(rest, hour, hour + HOUR_MS);
    at = hour + HOUR_MS;
  }
  add(kept, at, end);
  add(rest, end, toMs);
  return kept.length === 0 ? undefined : { kept, rest, state: String(row['state']) };
}
