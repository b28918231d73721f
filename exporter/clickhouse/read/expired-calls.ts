import type { TimeRange } from '../../ledger/queries/gather.ts';
import type { ClickHouseSession } from '../clickhouse-session.ts';
import { keptSince, OF_SESSION } from '../schema/kept-calls.ts';
import { CELLS } from '../schema/roll-ups.ts';

/** A time in which the ledger had calls that it no longer keeps; their sums stay. */
export type ExpiredCalls = TimeRange;

/** Undefined where none are gone. */
export async function expiredCalls(
  session: ClickHouseSession,
  signal: AbortSignal | undefined,
): Promise<ExpiredCalls | undefined> {
  const [row = {}] = await session.rows(
    {
      text: `SELECT toUnixTimestamp(${keptSince(OF_SESSION)}) AS since,
        (SELECT toUnixTimestamp(min(cell)) FROM ${CELLS} WHERE roll_up = 'hourly') AS first`,
    },
    { signal },
  );
  const range = { fromMs: Number(row['first']) * 1000, toMs: Number(row['since']) * 1000 };
  return range.fromMs < range.toMs ? range : undefined;
}
