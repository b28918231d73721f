import { renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { makeFolderSync } from '../../../src/host/make-folder.ts';
import type { UsageRecord } from '../../../src/domain/usage-record.ts';
import { addToRollUps, HOURS, removeBefore } from '../roll-up.ts';
import { prepareSchema } from '../schema.ts';
import { loadSqlite } from '../sqlite-module.ts';
import { COLUMNS, toRow } from '../stored-record.ts';

/** SQLite result codes of a file that no longer is a database. */
const CORRUPT = new Set([11, 26]);

/** Rows removed in one transaction, so that other processes get their turn. */
const RETENTION_STEP = 20_000;

const DAY_MS = 86_400_000;

const INSERT = `INSERT OR IGNORE INTO usage (${COLUMNS.join(', ')})
VALUES (${COLUMNS.map(() => '?').join(', ')})`;

function resultCode(error: unknown): number {
  const code = (error as { errcode?: unknown } | null)?.errcode;
  // The low byte is the primary code; the rest tells where it came from.
  return typeof code === 'number' ? code & 0xff : 0;
}

export interface LedgerFileOptions {
  readonly path: string;
  /** How long a statement waits for another process. */
  readonly busyTimeoutMs: number;
  readonly now?: () => number;
}

/** The ledger file as a writer sees it; synchronous, so it belongs into a worker thread. */
export class LedgerFile {
  readonly #path: string;
  readonly #busyTimeoutMs: number;
  readonly #now: () => number;
  #database: DatabaseSync | undefined;
  #insert: StatementSync | undefined;
  #inode: bigint | undefined;
  /** Called with the new name of a corrupted file that was moved aside. */
  onMovedAside: ((path: string, reason: string) => void) | undefined;

  constructor({ path, busyTimeoutMs, now = Date.now }: LedgerFileOptions) {
    this.#path = path;
    this.#busyTimeoutMs = busyTimeoutMs;
    this.#now = now;
  }

  /**
   * Writes all or nothing and returns how many were new. Durable when it returns. A corrupted file
   * is moved aside and a new one started; every other failure is thrown.
   */
  write(records: readonly UsageRecord[]): number {
    try {
      return this.#write(records);
    } catch (error) {
      if (!CORRUPT.has(resultCode(error))) throw error;
      this.#moveAside(error);
      return this.#write(records);
    }
  }

  /** Opens the file now, so that a bad path shows before the first record. */
  open(): void {
    this.write([]);
  }

  /** Removes the oldest whole hours beyond `days`; true when more is left to remove. */
  removeOlderThan(days: number): boolean {
    const database = this.#open();
    const hour = BigInt(Math.floor((this.#now() - days * DAY_MS) / 3_600_000));
    database.exec('BEGIN IMMEDIATE');
    let removed: number;
    try {
      const result = database
        .prepare(
          `DELETE FROM usage WHERE (time_ns, id) IN
           (SELECT time_ns, id FROM usage WHERE time_ns < ? ORDER BY time_ns LIMIT ?)`,
        )
        .run(hour * HOURS.ns, RETENTION_STEP);
      removed = Number(result.changes);
      // Half-removed hours would answer whole from the roll-up: it goes first.
      removeBefore(database, hour);
      database.exec('COMMIT');
    } catch (error) {
      this.#rollBack(database);
      throw error;
    }
    if (removed > 0) database.prepare('PRAGMA incremental_vacuum(1000)').all();
    return removed === RETENTION_STEP;
  }

  close(): void {
    const database = this.#database;
    this.#database = undefined;
    this.#insert = undefined;
    try {
      database?.close();
    } catch {
      // A corrupted database may refuse to close; the handle goes with the thread.
    }
  }

  #write(records: readonly UsageRecord[]): number {
    const database = this.#open();
    if (records.length === 0) return 0;
    this.#insert ??= database.prepare(INSERT);
    database.exec('BEGIN IMMEDIATE');
    try {
      const fresh: UsageRecord[] = [];
      for (const record of records) {
        if (this.#insert.run(...toRow(record)).changes > 0) fresh.push(record);
      }
      addToRollUps(database, fresh);
      database.exec('COMMIT');
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
    // Another process may have moved a corrupted file aside, or someone deleted it.
    if (this.#database !== undefined && inode !== this.#inode) this.close();
    if (this.#database !== undefined) return this.#database;
    this.#inode = inode;
    const { DatabaseSync } = loadSqlite();
    makeFolderSync(dirname(this.#path));
    const database = new DatabaseSync(this.#path, { timeout: this.#busyTimeoutMs });
    try {
      prepareSchema(database);
      // FULL: a commit is on the disk when it returns, power cut included.
      database.exec('PRAGMA synchronous = FULL');
    } catch (error) {
      try {
        database.close();
      } catch {
        // The first error tells more.
      }
      throw error;
    }
    this.#database = database;
    this.#inode = this.#inodeOfPath();
    return database;
  }

  #inodeOfPath(): bigint | undefined {
    return statSync(this.#path, { bigint: true, throwIfNoEntry: false })?.ino;
  }

  #moveAside(error: unknown): void {
    const corrupted = this.#inode;
    this.close();
    // Only the very file that failed: another process may have put a new one in its place.
    if (corrupted === undefined || this.#inodeOfPath() !== corrupted) return;
    const stamp = new Date(this.#now()).toISOString().replaceAll(/[-:]/g, '').slice(0, 15);
    const aside = `${this.#path}.corrupted-${stamp}-${process.pid}`;
    renameSync(this.#path, aside);
    for (const suffix of ['-wal', '-shm']) {
      const side = this.#path + suffix;
      if (statSync(side, { throwIfNoEntry: false })) renameSync(side, aside + suffix);
    }
    this.onMovedAside?.(aside, error instanceof Error ? error.message : String(error));
  }
}
