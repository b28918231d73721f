import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { TokenMeterError } from '../../../src/errors.ts';
import { checkErasedUser, type EraseOptions, type EraseResult } from '../../ledger/erase.ts';
import { withoutKey } from '../day-block.ts';
import { firstCallHour } from '../kept-from.ts';
import { rebuildRollUps, reviseHours } from '../roll-up.ts';
import { checkLedger } from '../schema.ts';
import { loadSqlite } from '../sqlite-module.ts';
import { isRewriteDue, noteDeletion, rewrite } from './deletions.ts';
import { noteErasure } from './erased-users.ts';

export interface SqliteEraseOptions extends EraseOptions {
  readonly path: string;
}

/** Calls of one transaction: other processes get their turn in between. */
const BATCH = 2000;
const BUSY_TIMEOUT_MS = 10_000;
/** What comes in while it runs is newer than the erasure, and stays. */
const OF_USER = 'FROM usage WHERE user = ? AND time_ns < ?';

/**
 * Deletes every call that a user has made until now, takes them out of the sums, and rewrites the file, so that no
 * trace of them is left in it or in its log. What was erased before an abort stays erased. Rejects with
 * `DATABASE_UNAVAILABLE` or `INVALID_OPTION`.
 */
export async function eraseLedgerUser(options: SqliteEraseOptions): Promise<EraseResult> {
  const { path, userId, dryRun = false, signal, onProgress } = options;
  checkErasedUser('eraseLedgerUser', userId);
  const nowMs = Date.now();
  const endNs = BigInt(nowMs + 1) * 1_000_000n;
  const { DatabaseSync } = loadSqlite();
  try {
    // Opened for reading first: a wrong name must not leave a file behind.
    new DatabaseSync(path, { readOnly: true }).close();
    const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
    try {
      checkLedger(database);
      const { calls } =
        database.prepare(`SELECT count(*) AS calls ${OF_USER}`).get(userId, endNs) ?? {};
      const found = Number(calls);
      const traces = (isClean: boolean): readonly string[] =>
        isClean ? copiesBeside(path) : [path, `${path}-wal`, ...copiesBeside(path)];
      if (dryRun) return { found, erased: 0, mayRemain: traces(!isRewriteDue(database)) };
      const next = database.prepare(
        `SELECT time_ns, id ${OF_USER} ORDER BY time_ns, id LIMIT ${BATCH}`,
      );
      next.setReadBigInts(true);
      const remove = database.prepare('DELETE FROM usage WHERE time_ns = ? AND id = ?');
      let erased = 0;
      for (;;) {
        signal?.throwIfAborted();
        database.exec('BEGIN IMMEDIATE');
        try {
          if (erased === 0) noteErasure(database, userId, nowMs);
          const rows = next.all(userId, endNs) as { time_ns: bigint; id: string }[];
          if (rows.length > 0) noteDeletion(database);
          for (const { time_ns, id } of rows) remove.run(time_ns, id);
          // Hour by hour: the calls of a user may be years apart.
          for (const hour of new Set(rows.map(({ time_ns }) => time_ns / HOUR_NS))) {
            rebuildRollUps(database, hour * HOUR_NS, hour * HOUR_NS);
          }
          database.exec('COMMIT');
          erased += rows.length;
          onProgress?.(erased, Math.max(found, erased));
          if (rows.length < BATCH) break;
        } catch (error) {
          if (database.isTransaction) database.exec('ROLLBACK');
          throw error;
        }
        await nextTurn();
      }
      forgetInSums(database, userId);
      // Of this erasure, of an earlier one that did not come to its end, or of retention.
      const isClean = !isRewriteDue(database) || rewrite(database);
      return { found: Math.max(found, erased), erased, mayRemain: traces(isClean) };
    } finally {
      database.close();
    }
  } catch (error) {
    if (signal?.aborted === true || error instanceof TokenMeterError) throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new TokenMeterError(
      'DATABASE_UNAVAILABLE',
      `cannot erase from the usage ledger ${path}: ${message}`,
      { value: path, cause: error },
    );
  }
}

/** Sums of days whose calls are no longer kept stay, without the user's name. */
function forgetInSums(database: DatabaseSync, userId: string): void {
  const endDay = firstCallHour(database) / 24n;
  if (endDay === 0n) return;
  const blocks = "usage_day_block WHERE kind = 'user' AND day < ?";
  const update = database.prepare(
    "UPDATE usage_day_block SET block = ? WHERE kind = 'user' AND day = ?",
  );
  database.exec('BEGIN IMMEDIATE');
  try {
    const days = database.prepare(`SELECT day, block FROM ${blocks}`).all(endDay);
    for (const { day, block } of days) {
      const changed = withoutKey(block as Uint8Array, userId);
      if (changed === undefined) continue;
      noteDeletion(database);
      update.run(changed, Number(day));
      const hour = BigInt(Number(day)) * 24n;
      reviseHours(database, hour, hour + 24n);
    }
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

const HOUR_NS = 3_600_000_000_000n;

/** Damaged ledgers that were moved aside, and records that wait to be taken over. */
function copiesBeside(path: string): readonly string[] {
  const name = basename(path);
  return readdirSync(dirname(path) === '' ? '.' : dirname(path))
    .filter((other) => /^\.(corrupted|unsaved)-/.test(other.slice(name.length)))
    .filter((other) => other.startsWith(name))
    .map((other) => join(dirname(path), other));
}
