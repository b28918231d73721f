import type { TimeRange } from '../../ledger/queries/gather.ts';
import type { ClickHouseSession } from '../clickhouse-session.ts';
import { CELLS, QUIET_MINUTES, SETTLE_SECONDS } from '../schema/roll-ups.ts';

const HOUR_MS = 3_600_000;
/** With more, a question would be longer than the work that it saves. */
const MAX_RECENT = 20;
const MAX_OPEN = 20_000;

/** What the marks say about the whole hours of a range, and about the days among them. */
export interface CellMarks {
  readonly hours: TimeRange;
  /** Of cells that have rested: another one whenever a call of theirs was added, changed or removed. */
  readonly stateOf: (rollUp: string) => string;
  /** Hours that have not, in order; undefined for too many. */
  readonly recent: readonly number[] | undefined;
  /** Cells of a roll-up that are not made from all of their calls, in order; undefined for too many. */
  readonly openIn: (rollUp: string) => readonly number[] | undefined;
  /** Cells that were changed after they were made, and whose calls are gone; undefined for too many. */
  readonly staleIn: (rollUp: string) => readonly number[] | undefined;
}

/** The hours that belong to a range as a whole; undefined for none. */
export function wholeHours({ fromMs, toMs }: TimeRange): TimeRange | undefined {
  const hours = {
    fromMs: Math.ceil(fromMs / HOUR_MS) * HOUR_MS,
    toMs: Math.floor(toMs / HOUR_MS) * HOUR_MS,
  };
  return hours.fromMs < hours.toMs ? hours : undefined;
}

/**
 * In one statement, for whatever questions about these hours. Before `keptSinceMs` calls are gone: sums that were made
 * stay as they are, and no mark opens their cells. They lack what came after they were made.
 */
export async function cellMarks(
  session: ClickHouseSession,
  hours: TimeRange,
  keptSinceMs: number,
  signal: AbortSignal | undefined,
): Promise<CellMarks> {
  // An insert may be seen later than its mark is, so an hour that was changed lately has not rested.
  const rows = await session.rows(
    {
      text: `SELECT roll_up, toString(sumIf(cityHash64(shard, second, changed_at), NOT is_recent)) AS state,
          groupArraySortedIf(${MAX_RECENT + 1})(second, is_recent) AS recent,
          arraySort(groupUniqArrayIf(${MAX_OPEN})(second, is_open)) AS open,
          arraySort(groupUniqArrayIf(${MAX_OPEN})(second, is_gone AND NOT is_open AND changed_at > made_at)) AS stale
        FROM (SELECT roll_up, shard, toUnixTimestamp(cell) AS second, max(changed) AS changed_at, max(made) AS made_at,
            second < {since:UInt64} AS is_gone,
            NOT is_gone AND changed_at + INTERVAL ${QUIET_MINUTES} MINUTE > now64(3, 'UTC') AS is_recent,
            if(is_gone, made_at = toDateTime64(0, 3, 'UTC'), changed_at + INTERVAL ${QUIET_MINUTES} MINUTE > made_at
              OR made_at + INTERVAL ${SETTLE_SECONDS} SECOND > now64(3, 'UTC')) AS is_open
          FROM ${CELLS} WHERE toUnixTimestamp(cell) >= {from:UInt64} 
            AND toUnixTimestamp(cell) + if(roll_up = 'hourly', 3600, 86400) <= {to:UInt64}
          GROUP BY roll_up, shard, cell)
        GROUP BY roll_up`,
      values: { from: hours.fromMs / 1000, to: hours.toMs / 1000, since: keptSinceMs / 1000 },
    },
    { signal },
  );
  const times = (value: unknown): readonly number[] => [
    ...new Set((value as readonly number[]).map((second) => second * 1000)),
  ];
  const hourly = rows.find((row) => row['roll_up'] === 'hourly');
  const states = new Map(rows.map((row) => [row['roll_up'], String(row['state'])]));
  const cellsIn = (column: 'open' | 'stale'): CellMarks['openIn'] => {
    const cells = new Map(rows.map((row) => [row['roll_up'], times(row[column])]));
    return (rollUp) => {
      const found = cells.get(rollUp) ?? [];
      return found.length === MAX_OPEN ? undefined : found;
    };
  };
  const recent = hourly === undefined ? [] : (hourly['recent'] as readonly number[]);
  return {
    hours,
    stateOf: (rollUp) => states.get(rollUp) ?? '',
    recent: recent.length > MAX_RECENT ? undefined : times(recent),
    openIn: cellsIn('open'),
    staleIn: cellsIn('stale'),
  };
}
