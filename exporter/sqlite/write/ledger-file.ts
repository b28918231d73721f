import { closeSync, openSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { makeFolderSync } from '../../../src/host/make-folder.ts';
import type { UsageRecord } from '../../../src/domain/usage-record.ts';
import { addToRollUps, HOURS, removeBefore, reviseHours } from '../roll-up.ts';
import { firstCallHour, noteCallsRemoved, noteSumsRemoved } from '../kept-from.ts';
import { resultCode, SQLITE_CORRUPT, SQLITE_NOTADB } from '../result-code.ts';
import { prepareSchema } from '../schema.ts';
import { daysToSumUp, sumUpDay } from '../summed-days.ts';
import { loadSqlite } from '../sqlite-module.ts';
import { COLUMNS, toRow } from '../stored-record.ts';
import { noteDeletion } from './deletions.ts';
import { withoutErased } from './erased-users.ts';
import { readableRecords } from './salvage.ts';

/** Rows removed in one transaction, so that other processes get their turn. */
const RETENTION_STEP = 20_000;

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Longer than calls of the day are on their way. */
const DAY_SETTLES_MS = 900_000;

const INSERT = `INSERT OR IGNORE INTO usage (${COLUMNS.join(', ')})
VALUES (${COLUMNS.map(() => '?').join(', ')})`;

/** Why a record is not written: its calls are no longer kept, or all calls of its user were erased. */
export type LeftOut = 'beyond_retention' | 'erased';

/** What became of a damaged file. */
export type LedgerRepair =
  /** Its indexes were made again in place; no record was lost. */
  | { readonly how: 'reindexed'; readonly reason: string }
  /** It was moved to `aside`, and its readable records were copied into a new file. */
  | {
      readonly how: 'copied';
      readonly reason: string;
      readonly aside: string;
      readonly records: number;
    };

export interface LedgerFileOptions {
  readonly path: string;
  /** How long a statement waits for another process. */
  readonly busyTimeoutMs: number;
  readonly now?: () => number;
  /** Whether a damaged file is repaired, which takes its time. @default true */
  readonly repairs?: boolean;
}

/** The ledger file as a writer sees it; synchronous, so it belongs into a worker thread. */
export class LedgerFile {
  readonly #path: string;
  readonly #busyTimeoutMs: number;
  readonly #now: () => number;
  #database: DatabaseSync | undefined;
  #insert: StatementSync | undefined;
  #inode: bigint | undefined;
  readonly #repairs: boolean;
  onRepaired: ((repair: LedgerRepair) => void) | undefined;
  /** Called with the number of records that were not written. */
  onLeftOut: ((reason: LeftOut, records: number) => void) | undefined;

  constructor({ path, busyTimeoutMs, now = Date.now, repairs = true }: LedgerFileOptions) {
    this.#path = path;
    this.#busyTimeoutMs = busyTimeoutMs;
    this.#now = now;
    this.#repairs = repairs;
  }

  /**
   * Writes all or nothing and returns how many were new. Durable when it returns. A damaged file is
   * repaired; every other failure is thrown.
   */
  write(records: readonly UsageRecord[]): number {
    try {
      return this.#write(records);
    } catch (error) {
      const code = resultCode(error);
      const isDamaged = code === SQLITE_CORRUPT || code === SQLITE_NOTADB;
      if (!isDamaged || !this.#repairs) throw error;
      return this.#repairAndWrite(records, error);
    }
  }

  /** Opens the file now, so that a bad path shows before the first record. */
  open(): void {
    this.write([]);
  }

  /**
   * Removes the oldest calls beyond `days`, and sums beyond `sumDays`; true when more is left to remove. Hours are
   * removed as a whole, and days where their sums stay longer: those are made before.
   */
  removeOlderThan(days: number, sumDays: number = days): boolean {
    const database = this.#open();
    const [calls, sums] = [days, sumDays].map((kept) => this.#now() - kept * DAY_MS) as [
      number,
      number,
    ];
    const today = BigInt(Math.floor(this.#now() / DAY_MS));
    database.exec('BEGIN IMMEDIATE');
    let removed: number;
    try {
      let hour = BigInt(Math.floor(calls / HOUR_MS));
      let sumHour = hour;
      if (sumDays > days) {
        const [open = today] = daysToSumUp(database, today);
        const day = BigInt(Math.floor(calls / DAY_MS));
        hour = (day < open ? day : open) * 24n;
        const sumDay = BigInt(Math.floor(sums / DAY_MS));
        // Calls whose day is still to be summed up are kept, so their sums are as well.
        sumHour = sumDay * 24n < hour ? sumDay * 24n : hour;
      }
      const result = database
        .prepare(
          `DELETE FROM usage WHERE (time_ns, id) IN
           (SELECT time_ns, id FROM usage WHERE time_ns < ? ORDER BY time_ns LIMIT ?)`,
        )
        .run(hour * HOURS.ns, RETENTION_STEP);
      removed = Number(result.changes);
      if (removed > 0) {
        noteCallsRemoved(database, hour, sumHour);
        // Views that read the calls are not what they were.
        reviseHours(database, sumHour, hour);
      }
      // Half-removed hours would answer whole from the roll-up: it goes first.
      const sumsRemoved = removeBefore(database, sumHour);
      noteSumsRemoved(database, sumHour, sumsRemoved);
      if (removed > 0 || sumsRemoved) noteDeletion(database);
      database.exec('COMMIT');
    } catch (error) {
      this.#rollBack(database);
      throw error;
    }
    if (removed > 0) database.prepare('PRAGMA incremental_vacuum(1000)').all();
    return removed === RETENTION_STEP;
  }

  /**
   * Sums up the oldest day that is over and not summed up; true when more are left. A day stays open for a while
   * after its end: calls that arrive later cost its sums.
   */
  sumUpDay(): boolean {
    const database = this.#open();
    const endDay = BigInt(Math.floor((this.#now() - DAY_SETTLES_MS) / DAY_MS));
    const [day, next] = daysToSumUp(database, endDay);
    if (day === undefined) return false;
    database.exec('BEGIN IMMEDIATE');
    try {
      sumUpDay(database, day);
      database.exec('COMMIT');
    } catch (error) {
      this.#rollBack(database);
      throw error;
    }
    return next !== undefined;
  }

  close(): void {
    const database = this.#database;
    this.#database = undefined;
    this.#insert = undefined;
    closeQuietly(database);
  }

  #write(records: readonly UsageRecord[]): number {
    const database = this.#open();
    if (records.length === 0) return 0;
    this.#insert ??= database.prepare(INSERT);
    database.exec('BEGIN IMMEDIATE');
    if (this.#inodeOfPath() !== this.#inode) {
      // While we waited for the lock another process moved this file aside.
      this.#rollBack(database);
      return this.#write(records);
    }
    try {
      const fresh: UsageRecord[] = [];
      const firstNs = firstCallHour(database) * HOURS.ns;
      let expired = 0;
      const wanted = withoutErased(database, records);
      for (const record of wanted) {
        const row = toRow(record);
        // Sums that have outlived their calls may hold it already.
        if ((row[0] as bigint) < firstNs) expired++;
        else if (this.#insert.run(...row).changes > 0) fresh.push(record);
      }
      addToRollUps(database, fresh);
      database.exec('COMMIT');
      const erased = records.length - wanted.length;
      if (expired > 0) this.onLeftOut?.('beyond_retention', expired);
      if (erased > 0) this.onLeftOut?.('erased', erased);
      return fresh.length;
    } catch (error) {
      this.#rollBack(database);
      throw error;
    }
  }

  #rollBack(database: DatabaseSync): void {
    try {
      if (database.isTransaction) database.exec('ROLLBACK');
    } catch {
      this.close();
    }
  }

  #open(): DatabaseSync {
    const inode = this.#inodeOfPath();
    // Another process may have moved a damaged file aside, or someone deleted it.
    if (this.#database !== undefined && inode !== this.#inode) this.close();
    if (this.#database !== undefined) return this.#database;
    this.#inode = inode;
    const { DatabaseSync } = loadSqlite();
    makeFolderSync(dirname(this.#path));
    // It holds user ids. SQLite gives its other files the mode of this one.
    if (inode === undefined) closeSync(openSync(this.#path, 'a', 0o600));
    const database = new DatabaseSync(this.#path, { timeout: this.#busyTimeoutMs });
    try {
      prepareSchema(database);
      // FULL: a commit is on the disk when it returns, power cut included.
      database.exec('PRAGMA synchronous = FULL');
    } catch (error) {
      closeQuietly(database);
      throw error;
    }
    this.#database = database;
    this.#inode = this.#inodeOfPath();
    return database;
  }

  #inodeOfPath(): bigint | undefined {
    return statSync(this.#path, { bigint: true, throwIfNoEntry: false })?.ino;
  }

  /** Damaged indexes are made again; of damaged records those around them are copied to a new file. */
  #repairAndWrite(records: readonly UsageRecord[], cause: unknown): number {
    const reason = cause instanceof Error ? cause.message : String(cause);
    if (resultCode(cause) === SQLITE_CORRUPT && this.#reindex()) {
      try {
        const fresh = this.#write(records);
        this.onRepaired?.({ how: 'reindexed', reason });
        return fresh;
      } catch (error) {
        if (resultCode(error) !== SQLITE_CORRUPT) throw error;
      }
    }
    const aside = this.#moveAside();
    const fresh = this.#write(records);
    if (aside !== undefined) {
      this.onRepaired?.({ how: 'copied', reason, aside, records: this.#copyFrom(aside) });
    }
    return fresh;
  }

  /** True when the file is whole afterwards. */
  #reindex(): boolean {
    try {
      const database = this.#open();
      database.exec('REINDEX');
      return database.prepare('PRAGMA quick_check(1)').get()?.['quick_check'] === 'ok';
    } catch {
      return false;
    }
  }

  /** The new name of the damaged file; undefined when another process was faster. */
  #moveAside(): string | undefined {
    const damaged = this.#inode;
    try {
      // Folds the newest records in: a new file must not meet the log of the old one.
      this.#database?.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    } catch {
      // The log is moved with the file.
    }
    this.close();
    if (damaged === undefined || this.#inodeOfPath() !== damaged) return undefined;
    const stamp = new Date(this.#now()).toISOString().replaceAll(/[-:]/g, '').slice(0, 15);
    const aside = `${this.#path}.corrupted-${stamp}-${process.pid}`;
    renameSync(this.#path, aside);
    for (const suffix of ['-wal', '-shm']) {
      const side = this.#path + suffix;
      if (statSync(side, { throwIfNoEntry: false })) renameSync(side, aside + suffix);
    }
    return aside;
  }

  /** Copies the readable records of a damaged file into the ledger; returns how many. */
  #copyFrom(aside: string): number {
    const { DatabaseSync } = loadSqlite();
    let damaged: DatabaseSync | undefined;
    let copied = 0;
    try {
      damaged = new DatabaseSync(aside, { timeout: this.#busyTimeoutMs });
      for (const batch of readableRecords(damaged)) copied += this.#write(batch);
    } catch (error) {
      const code = resultCode(error);
      if (code !== SQLITE_CORRUPT && code !== SQLITE_NOTADB && !isNoLedger(error)) throw error;
    } finally {
      closeQuietly(damaged);
    }
    return copied;
  }
}

/** No table `usage` is left in the file. */
const isNoLedger = (error: unknown): boolean =>
  error instanceof Error && error.message.startsWith('no such table');

function closeQuietly(database: DatabaseSync | undefined): void {
  try {
    database?.close();
  } catch {
    // A damaged database may refuse to close; the handle goes with the thread.
  }
}
