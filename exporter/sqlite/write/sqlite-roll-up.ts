import { setImmediate as nextTurn } from 'node:timers/promises';
import type { DatabaseSync } from 'node:sqlite';
import { TokenMeterError } from '../../../src/errors.ts';
import type { RollUpOptions, RollUpResult } from '../../ledger/roll-up-run.ts';
import { DayBlockReader } from '../day-block.ts';
import { firstCallHour } from '../kept-from.ts';
import { DAYS, HOURS, rebuildRollUps } from '../roll-up.ts';
import { prepareSchema } from '../schema.ts';
import { loadSqlite } from '../sqlite-module.ts';
import { daysToSumUp, sumUpDay } from '../summed-days.ts';

export interface SqliteRollUpOptions extends RollUpOptions {
  readonly path: string;
  /** @default Date.now */
  readonly now?: () => number;
}

const BUSY_TIMEOUT_MS = 10_000;
const DAY_MS = 86_400_000;
const HOURS_A_DAY = 24;

/**
 * Sums up the days of a SQLite ledger that are over and not summed up, or with `verify` compares all sums with
 * their calls and makes wrong ones again. Rejects with `DATABASE_UNAVAILABLE`; what was done before an abort stays
 * done. Each day is one transaction.
 */
export async function rollUpLedger(options: SqliteRollUpOptions): Promise<RollUpResult> {
  const { path, from, to, verify = false, signal, onProgress, now = Date.now } = options;
  const { DatabaseSync } = loadSqlite();
  let database: DatabaseSync | undefined;
  try {
    // Opened for reading first: a wrong name must not leave a file behind.
    new DatabaseSync(path, { readOnly: true }).close();
    database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
    prepareSchema(database);
    const today = BigInt(Math.floor(now() / DAY_MS));
    const days = daysOf(database).filter(
      (day) =>
        (from === undefined || Number(day + 1n) * DAY_MS > from.getTime()) &&
        (to === undefined || Number(day) * DAY_MS < to.getTime()),
    );
    // Sums that have outlived their calls can be compared with nothing.
    const firstDay = firstCallHour(database) / 24n;
    const closed = days.filter((day) => day < today && day >= firstDay);
    const missing = new Set(daysToSumUp(database, today));
    const result = { hours: closed.length * HOURS_A_DAY, made: 0, wrong: 0 };
    const open = days.filter((day) => day >= today).length * HOURS_A_DAY;
    for (const [index, day] of closed.entries()) {
      signal?.throwIfAborted();
      const outcome = work(database, day, { isMissing: missing.has(day), verify });
      if (outcome !== 'right') result.made += HOURS_A_DAY;
      if (outcome === 'wrong') result.wrong += HOURS_A_DAY;
      const done = (index + 1) * HOURS_A_DAY;
      onProgress?.({ done, hours: result.hours, made: result.made });
      await nextTurn();
    }
    return { ...result, open };
  } catch (error) {
    if (signal?.aborted === true || error instanceof TokenMeterError) throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new TokenMeterError(
      'DATABASE_UNAVAILABLE',
      `cannot sum up the usage ledger ${path}: ${message}`,
      { value: path, cause: error },
    );
  } finally {
    database?.close();
  }
}

/** Days with calls, oldest first. */
function daysOf(database: DatabaseSync): readonly bigint[] {
  const statement = database.prepare(
    `SELECT DISTINCT day FROM
       (SELECT day FROM usage_day UNION SELECT DISTINCT time_ns / ${DAYS.ns} AS day FROM usage)
     ORDER BY day`,
  );
  statement.setReadBigInts(true);
  return statement.all().map(({ day }) => day as bigint);
}

const DAY_BLOCKS = 'usage_day_block';
const SUM_TABLES = [HOURS.table, DAYS.table, DAY_BLOCKS, 'usage_day_bins'];

/** Makes one day, and says whether its sums were wrong. */
function work(
  database: DatabaseSync,
  day: bigint,
  { isMissing, verify }: { readonly isMissing: boolean; readonly verify: boolean },
): 'right' | 'made' | 'wrong' {
  if (!isMissing && !verify) return 'right';
  database.exec('BEGIN IMMEDIATE');
  try {
    const before = verify ? contentOf(database, day) : undefined;
    if (verify) rebuildRollUps(database, day * DAYS.ns, (day + 1n) * DAYS.ns - 1n);
    sumUpDay(database, day);
    // Sums of a day that was not summed up cannot be wrong: nobody reads them.
    const after = verify ? contentOf(database, day) : undefined;
    const isWrong = SUM_TABLES.some(
      (table) =>
        (table === HOURS.table || table === DAYS.table || !isMissing) &&
        before?.[table] !== after?.[table],
    );
    // What is right keeps its pages.
    database.exec(isWrong || isMissing ? 'COMMIT' : 'ROLLBACK');
    return isWrong ? 'wrong' : isMissing ? 'made' : 'right';
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

/** Rows of a day by table. */
function contentOf(database: DatabaseSync, day: bigint): Readonly<Record<string, string>> {
  return Object.fromEntries(
    SUM_TABLES.map((table) => {
      const where = table === HOURS.table ? 'hour >= ?1 * 24 AND hour < (?1 + 1) * 24' : 'day = ?1';
      const rows = database.prepare(`SELECT * FROM ${table} WHERE ${where}`).all(day);
      const texts = rows.map((row) => JSON.stringify(Object.values(row).map(comparable)));
      return [table, texts.toSorted().join('\n')];
    }),
  );
}

/** Sums of floats depend on the order of their additions. */
function comparable(value: unknown): unknown {
  if (typeof value === 'number') return Number(value.toPrecision(12));
  if (!(value instanceof Uint8Array)) return value;
  try {
    const { columns, ...texts } = new DayBlockReader().read(value);
    const numbers = [...columns].map(([name, sums]) => [name, [...sums].map(comparable)]);
    return [texts, numbers];
  } catch {
    return 'damaged';
  }
}
