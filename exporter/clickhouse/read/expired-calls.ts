import type { TimeRange } from '../../ledger/queries/gather.ts';
import type { ClickHouseSession } from '../clickhouse-session.ts';
import { LEDGER } from '../schema/columns.ts';
import { CELLS } from '../schema/roll-ups.ts';

/** A time in which the ledger had calls that it no longer keeps; their sums stay. */
export type ExpiredCalls = TimeRange;

/** By the TTL of the table, which the server applies when it merges; undefined where calls stay. */
export async function expiredCalls(
  session: ClickHouseSession,
  signal: AbortSignal | undefined,
): Promise<ExpiredCalls | undefined> {
  const [row = {}] = await session.rows(
    {
      text: `SELECT toUnixTimestamp(now()) AS second, max(engine_full) AS engine,
          (SELECT toUnixTimestamp(min(cell)) FROM ${CELLS} WHERE roll_up = 'hourly') AS first
        FROM system.tables WHERE database = currentDatabase() AND name IN ('${LEDGER}', '${LEDGER}_local')
          AND engine_full LIKE '%TTL%'`,
    },
    { signal },
  );
  const days = /toIntervalDay\((\d+)\)/.exec(String(row['engine']))?.[1];
  if (days === undefined) return undefined;
  const range = {
    fromMs: Number(row['first']) * 1000,
    toMs: (Number(row['second']) - Number(days) * 86_400) * 1000,
  };
  return range.fromMs < range.toMs ? range : undefined;
}
