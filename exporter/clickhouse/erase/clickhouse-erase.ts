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
import { changeableSince } from '../changeable-calls.ts';
import { keptSince, OF_SESSION } from '../schema/kept-calls.ts';
import { whileErasing } from '../ledger-turns.ts';
import { localTable } from '../local-table.ts';
import { SUM_COLUMNS, sumType, UNIT_SUMS } from '../schema/call-sums.ts';
import { LEDGER } from '../schema/columns.ts';
import { clickHouseDestination } from '../write/clickhouse-destination.ts';
import { CELLS, cellOf, ROLL_UPS, type RollUp } from '../schema/roll-ups.ts';

export interface ClickHouseEraseOptions extends EraseOptions, ClickHouseAccess {
  /** Of the processes that write the ledger on this machine: what waits there is not delivered any more. */
  readonly spool?: ClickHouseOptions['spool'];
}

/** A mutation rewrites parts of the table, and waits for all replicas. */
const SETTINGS = { mutations_sync: '2' } as const;
const TIMEOUT_MS = 3_600_000;

/**
 * Deletes every call that a user has made until now, and the user from the roll-ups, whose hours and days are made
 * again; sums that have outlived their calls keep his tokens, as those of no user. Rejects with `INVALID_OPTION`,
 * `BACKEND_REFUSED` or `BACKEND_UNREACHABLE`; what was deleted by then stays deleted.
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
    if (dryRun) return { found: await count(), erased: 0, mayRemain: [] };
    const erase = async (): Promise<EraseResult> => {
      const found = await count();
      const keptFrom = await changeableSince(session, signal);
      const cells = await cellsOf(session, userId, keptFrom, signal);
      // Marked first: from here on the calls themselves answer for these cells, until they are made again.
      await mark(session, cells, signal);
      const sumsOfUser = {
        text: 'user = {user:String} AND cell < fromUnixTimestamp64Milli({end:Int64})',
        values,
      };
      for (const { table, keys, unit } of ROLL_UPS) {
        if (keys.includes('user')) {
          // Also where no call is left: sums may have outlived them.
          await session.command(withoutName(table, keys, userId, keptFrom), {
            signal,
            settings: { insert_distributed_sync: 1, parallel_distributed_insert_select: '2' },
          });
          await deleteFrom(session, table, sumsOfUser, signal);
        } else {
          const text = 'toUnixTimestamp(cell) IN {cells:Array(UInt32)}';
          await deleteFrom(session, table, { text, values: { cells: cells[unit] } }, signal);
        }
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
    };
    return await whileErasing(session, erase, signal);
  } finally {
    await session.close();
  }
}

/** In seconds. */
interface CellsOf extends Readonly<Record<RollUp['unit'], readonly number[]>> {
  /** Days of which the sums lose the name of the user. */
  readonly gone: readonly number[];
}

/** Hours and days with calls of the user, those that stay included, as far as the server makes their sums again. */
async function cellsOf(
  session: ClickHouseSession,
  user: string,
  keptFrom: Date,
  signal: AbortSignal | undefined,
): Promise<CellsOf> {
  const of = (unit: RollUp['unit']): string =>
    `groupUniqArray(toUnixTimestamp(${cellOf(unit)})) AS ${unit}`;
  const text = `SELECT ${of('hour')}, ${of('day')} FROM ${LEDGER}
    WHERE user = {user:String} AND time >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')`;
  const values = { user, from: String(keptFrom.getTime()) };
  const [row] = await session.rows({ text, values }, { signal });
  const days = ROLL_UPS.filter(({ keys }) => keys.includes('user')).map(
    ({ table }) => `SELECT cell FROM ${table} WHERE user = {user:String}`,
  );
  const [sums] = await session.rows(
    {
      text: `SELECT groupUniqArray(toUnixTimestamp(cell)) AS days FROM (${days.join(' UNION ALL ')})
        WHERE cell < ${keptSince(OF_SESSION)}`,
      values,
    },
    { signal },
  );
  return {
    hour: row?.['hour'] as readonly number[],
    day: row?.['day'] as readonly number[],
    gone: sums?.['days'] as readonly number[],
  };
}

/**
 * Of days whose calls are gone a mark opens nothing; readers that keep their sums forget them. They lack no call that
 * they had before.
 */
async function mark(
  session: ClickHouseSession,
  cells: CellsOf,
  signal: AbortSignal | undefined,
): Promise<void> {
  const ofUnit = (unit: RollUp['unit']): string =>
    ROLL_UPS.filter((rollUp) => rollUp.unit === unit)
      .map(({ name }) => `'${name}'`)
      .join(', ');
  const text = `INSERT INTO ${CELLS} (roll_up, shard, cell, changed, made)
    SELECT roll_up, shard, cell, now64(3, 'UTC'),
      if(toUnixTimestamp(toStartOfDay(cell)) IN {gone:Array(UInt32)} AND max(made) >= max(changed), now64(3, 'UTC'), toDateTime64(0, 3, 'UTC'))
    FROM ${CELLS} WHERE roll_up IN (${ofUnit('hour')}) AND toUnixTimestamp(cell) IN {hour:Array(UInt32)}
      OR roll_up IN (${ofUnit('day')}) AND toUnixTimestamp(cell) IN {day:Array(UInt32)}
      OR roll_up IN (${ofUnit('hour')}, ${ofUnit('day')}) AND toUnixTimestamp(toStartOfDay(cell)) IN {gone:Array(UInt32)}
    GROUP BY roll_up, shard, cell`;
  await session.command(
    { text, values: { ...cells } },
    { signal, settings: { insert_distributed_sync: 1 } },
  );
}

/**
 * Adds the sums of a user that have outlived his calls to those of no user, and replaces them by sums of no call, in
 * one block: where it is made twice, the second finds nothing to add. They are no newer than they were: a cell that
 * lacks calls still does.
 */
function withoutName(table: string, keys: readonly string[], user: string, keptFrom: Date): Sql {
  const others = keys.filter((key) => key !== 'user');
  const sums = SUM_COLUMNS.map((column) => {
    const none = sumType(column).startsWith('Nullable') ? 'NULL' : '0';
    return `if(owner = '', sum(t.${column}), ${none}) AS sum_${column}`;
  });
  const text = `INSERT INTO ${table} (cell, user, ${[...others, ...SUM_COLUMNS].join(', ')}, ${UNIT_SUMS.name}, made)
    SELECT cell, owner, ${[...others, ...sums].join(', ')},
      if(owner = '', sumMap(t.${UNIT_SUMS.name}), CAST(map(), '${UNIT_SUMS.type}')) AS sum_units,
      max(t.made) + INTERVAL 1 MILLISECOND AS made_at
    FROM ${table} AS t FINAL ARRAY JOIN ['', {user:String}] AS owner
    WHERE user IN ('', {user:String}) AND cell < fromUnixTimestamp64Milli({from:Int64}, 'UTC')
    GROUP BY cell, owner, ${others.join(', ')} HAVING sumIf(t.calls, user = {user:String}) > 0`;
  return { text, values: { user, from: String(keptFrom.getTime()) } };
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
