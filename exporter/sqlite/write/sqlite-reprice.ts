import { setImmediate as nextTurn } from 'node:timers/promises';
import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import { TokenMeterError } from '../../../src/errors.ts';
import type { UsageRecord } from '../../../src/domain/usage-record.ts';
import {
  type CostChange,
  type RepriceOptions,
  type RepriceResult,
  RepriceTally,
} from '../../ledger/reprice-tally.ts';
import { rebuildRollUps } from '../roll-up.ts';
import { prepareSchema } from '../schema.ts';
import { loadSqlite } from '../sqlite-module.ts';
import { fromRow, SELECT_COLUMNS, timeToNs } from '../stored-record.ts';

export interface SqliteRepriceOptions extends RepriceOptions {
  readonly path: string;
}

/** Calls of one transaction: other processes get their turn in between. */
const BATCH = 2000;
const BUSY_TIMEOUT_MS = 10_000;
const LAST_NS = 2n ** 63n - 1n;

/**
 * Works out the cost of recorded calls anew, each by the price of its time, and the hours with them.
 * A call whose price is unknown keeps what it has. Rejects with `DATABASE_UNAVAILABLE`; what was
 * done before an abort stays done. Each batch holds the event loop for some ten milliseconds: a job of
 * its own is the place to run it.
 */
export async function repriceLedger(options: SqliteRepriceOptions): Promise<RepriceResult> {
  const { path, from, to, signal, onProgress, dryRun = false } = options;
  const tally = new RepriceTally(options.costOf);
  const database = open(path);
  try {
    let after: SQLInputValue[] = [
      from === undefined ? 0n : BigInt(from.getTime()) * 1_000_000n,
      '',
    ];
    const end = to === undefined ? LAST_NS : BigInt(to.getTime()) * 1_000_000n;
    for (;;) {
      signal?.throwIfAborted();
      const batch = nextBatch(database, after, end);
      const last = batch.at(-1);
      if (last === undefined) return tally.result();
      const changes = batch.flatMap((record) => {
        const change = tally.add(record);
        return change === undefined ? [] : [{ record, change }];
      });
      if (!dryRun) update(database, changes);
      after = [timeToNs(last.time), last.id];
      onProgress?.(tally.result());
      await nextTurn();
    }
  } catch (error) {
    if (signal?.aborted === true || error instanceof TokenMeterError) throw error;
    throw unavailable(path, error);
  } finally {
    database.close();
  }
}

function open(path: string): DatabaseSync {
  const { DatabaseSync } = loadSqlite();
  try {
    // Opened for reading first: a wrong name must not leave a file behind.
    new DatabaseSync(path, { readOnly: true }).close();
    const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
    try {
      prepareSchema(database);
    } catch (error) {
      database.close();
      throw error;
    }
    return database;
  } catch (error) {
    throw unavailable(path, error);
  }
}

function unavailable(path: string, cause: unknown): TokenMeterError {
  const message = cause instanceof Error ? cause.message : String(cause);
  return new TokenMeterError(
    'DATABASE_UNAVAILABLE',
    `cannot reprice the usage ledger ${path}: ${message}`,
    { value: path, cause },
  );
}

function nextBatch(database: DatabaseSync, after: SQLInputValue[], end: bigint): UsageRecord[] {
  return database
    .prepare(
      `SELECT ${SELECT_COLUMNS} FROM usage WHERE (time_ns, id) > (?, ?) AND time_ns < ?
       ORDER BY time_ns, id LIMIT ${BATCH}`,
    )
    .all(...after, end)
    .map(fromRow);
}

/** The calls and their hours in one transaction: no reader sees the one without the other. */
function update(
  database: DatabaseSync,
  changes: readonly { readonly record: UsageRecord; readonly change: CostChange }[],
): void {
  const [first, last] = [changes[0], changes.at(-1)];
  if (first === undefined || last === undefined) return;
  database.exec('BEGIN IMMEDIATE');
  try {
    const statement = database.prepare(
      `UPDATE usage SET cost_nanos = ?, cost_source = ?, cost_missing = ?
       WHERE time_ns = ? AND id = ?`,
    );
    for (const { record, change } of changes) {
      const { now, source, missing } = change;
      const parts = missing.length === 0 ? null : missing.join(' ');
      statement.run(now, source, parts, timeToNs(record.time), record.id);
    }
    rebuildRollUps(database, timeToNs(first.record.time), timeToNs(last.record.time));
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}
