import type { ClickHouseSession } from './clickhouse-session.ts';
import { TokenMeterError } from '../../src/errors.ts';
import { MISSING_TABLE } from './exception.ts';
import { CHANGE_MARGIN_HOURS, keptSince, OF_SESSION } from './schema/kept-calls.ts';

/**
 * The time from which on calls can be added, repriced and removed, since the server still makes their sums again; 1970
 * where all are kept, and where the ledger has no roll-ups.
 */
export async function changeableSince(
  session: ClickHouseSession,
  signal?: AbortSignal,
): Promise<Date> {
  try {
    const [row] = await session.rows(
      { text: `SELECT toUnixTimestamp(${keptSince(OF_SESSION, CHANGE_MARGIN_HOURS)}) AS since` },
      { signal },
    );
    return new Date(Number(row?.['since']) * 1000);
  } catch (error) {
    if (error instanceof TokenMeterError && MISSING_TABLE.has(Number(error.value))) {
      return new Date(0);
    }
    throw error;
  }
}
