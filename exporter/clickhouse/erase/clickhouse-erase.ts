import { destinationFolder } from '../../delivery/destination-folder.ts';
import { lateWritesIn, noteErasure, untilLateWrites } from '../../delivery/erased-users.ts';
import { checkErasedUser, type EraseOptions, type EraseResult } from '../../ledger/erase.ts';
import {
  type ClickHouseAccess,
  type ClickHouseOptions,
  READ_TIMEOUT_MS,
  resolveClickHouseOptions,
} from '../clickhouse-options.ts';
import { ClickHouseSession, type Sql } from '../clickhouse-session.ts';
import { localTable } from '../local-table.ts';
import { LEDGER } from '../schema/columns.ts';
import { clickHouseDestination } from '../write/clickhouse-destination.ts';
import { CELLS, cellOf, ROLL_UPS } from '../schema/roll-ups.ts';

export interface ClickHouseEraseOptions extends EraseOptions, ClickHouseAccess {
  /** Of the processes that write the ledger on this machine: what waits there is not delivered any more. */
  readonly spool?: ClickHouseOptions['spool'];
}

/** A mutation rewrites parts of the table, and waits for all replicas. */
const SETTINGS = { mutations_sync: '2' } as const;
const TIMEOUT_MS = 3_600_000;

/**
 * Deletes every call that a user has made until now, and the user from the roll-ups, whose hours and days are made
 * again. Rejects with `INVALID_OPTION`, `BACKEND_REFUSED` or `BACKEND_UNREACHABLE`; what was deleted by then stays deleted.
 */
export async function eraseClickHouseUser(options: ClickHouseEraseOptions): Promise<EraseResult> {
  const { userId, dryRun = false, signal, onProgress } = options;
  const { timeoutMs = READ_TIMEOUT_MS } = options;
  checkErasedUser('eraseClickHouseUser', userId);
  const access = resolveClickHouseOptions('eraseClickHouseUser', { ...options, timeoutMs });
  const session = new ClickHouseSession({ ...access, timeoutMs: TIMEOUT_MS });
  const nowMs = Date.now();
  // What comes in while it runs is newer than the erasure, and stays.
  const values = { user: userId, end: String(nowMs + 1) };
  const ofUser = {
    text: "user = {user:String} AND time < fromUnixTimestamp64Milli({end:Int64}, 'UTC')",
    values,
  };
  const count = async (): Promise<number> => {
    const text = `SELECT count() AS calls FROM ${LEDGER} FINAL WHERE ${ofUser.text}`;
    const [row] = await session.rows({ text, values }, { signal });
    return Number(row?.['calls'] ?? 0);
  };
  try {
    let lateMs = 0;
    if (!dryRun && access.spool !== false) {
      const folder = destinationFolder(clickHouseDestination(access), access.spool);
      lateMs = await noteErasure(folder, userId, nowMs, signal);
    }
    const found = await count();
    if (dryRun) return { found, erased: 0, mayRemain: [] };
    // Also where no call is left: sums may have outlived them.
    const cells = await cellsOf(session, userId, signal);
    // Marked first: from here on the calls themselves answer for these cells, until they are made again.
    await mark(session, cells, signal);
    const sumsOfUser = {
      text: 'user = {user:String} AND cell < fromUnixTimestamp64Milli({end:Int64})',
      values,
    };
    const ofCells = { text: 'toUnixTimestamp(cell) IN {cells:Array(UInt32)}', values: { cells } };
    for (const { table, keys } of ROLL_UPS) {
      await deleteFrom(session, table, keys.includes('user') ? sumsOfUser : ofCells, signal);
    }
    await deleteFrom(session, LEDGER, ofUser, signal);
    // A write that was under way may have been stored after the deletion.
    const wereLate = await untilLateWrites(lateMs, signal);
    if ((await count()) > 0) await deleteFrom(session, LEDGER, ofUser, signal);
    // A cell that was made while the calls were being deleted holds some of them.
    await mark(session, cells, signal);
    const remaining = await count();
    onProgress?.(found - remaining, found);
    const mayRemain = wereLate ? [lateWritesIn(access.database)] : [];
    return { found, erased: found - remaining, mayRemain };
  } finally {
    await session.close();
  }
}

/** Hours and days with calls of the user, those that stay included, in seconds. */
async function cellsOf(
  session: ClickHouseSession,
  user: string,
  signal: AbortSignal | undefined,
): Promise<readonly number[]> {
  const text = `SELECT DISTINCT toUnixTimestamp(arrayJoin([${cellOf('hour')}, ${cellOf('day')}])) AS cell
    FROM ${LEDGER} WHERE user = {user:String}`;
  const rows = await session.rows({ text, values: { user } }, { signal });
  return rows.map((row) => Number(row['cell']));
}

async function mark(
  session: ClickHouseSession,
  cells: readonly number[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const text = `INSERT INTO ${CELLS} (roll_up, shard, cell, changed, made)
    SELECT roll_up, shard, cell, now64(3, 'UTC'), toDateTime64(0, 3, 'UTC')
    FROM ${CELLS} WHERE toUnixTimestamp(cell) IN {cells:Array(UInt32)}
    GROUP BY roll_up, shard, cell`;
  await session.command(
    { text, values: { cells } },
    { signal, settings: { insert_distributed_sync: 1 } },
  );
}

async function deleteFrom(
  session: ClickHouseSession,
  table: string,
  { text, values = {} }: Sql,
  signal: AbortSignal | undefined,
): Promise<void> {
  const local = await localTable(session, table);
  const statement = { text: `ALTER TABLE ${local} DELETE WHERE ${text}`, values };
  await session.command(statement, { signal, settings: SETTINGS });
}
