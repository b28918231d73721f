import { closeSync, linkSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { makeFolderSync } from '../../../src/host/make-folder.ts';
import { TokenMeterError } from '../../../src/errors.ts';
import { resultCode, SQLITE_CORRUPT } from '../result-code.ts';
import { checkLedger } from '../schema.ts';
import { loadSqlite } from '../sqlite-module.ts';
import { LedgerFile } from './ledger-file.ts';
import { readableRecords } from './salvage.ts';

export interface LedgerBackupOptions {
  /** The ledger; it may be in use. */
  readonly path: string;
  /** The new file. */
  readonly to: string;
  /** Replaces an existing file. @default false */
  readonly overwrite?: boolean;
  /** `total` is unknown while a damaged ledger is copied record by record. */
  readonly onProgress?: (done: number, total: number | undefined) => void;
}

export interface LedgerBackupResult {
  readonly records: number;
  readonly bytes: number;
  /** The ledger is damaged: only what can be read of it is in the copy. */
  readonly isDamaged: boolean;
}

/** About 4 MB, some ten milliseconds of a disk. */
const PAGES_A_STEP = 1000;
const BUSY_TIMEOUT_MS = 10_000;

/**
 * Copies a ledger as it stands at one moment while others write to it. The new file appears whole or not at
 * all, and only its owner may read it. Rejects with `INVALID_OPTION` where `to` exists, and with
 * `DATABASE_UNAVAILABLE`.
 */
export async function backupLedger(options: LedgerBackupOptions): Promise<LedgerBackupResult> {
  const { path, overwrite = false } = options;
  const to = resolve(options.to);
  if (to === resolve(path) || (!overwrite && statSync(to, { throwIfNoEntry: false }))) {
    const allowed = 'a file that does not exist yet';
    throw new TokenMeterError('INVALID_OPTION', `backupLedger: to must be ${allowed}`, {
      value: options.to,
      allowed,
    });
  }
  const partial = `${to}.partial-${process.pid}`;
  try {
    makeFolderSync(dirname(to));
    closeSync(openSync(partial, 'wx', 0o600));
    const isDamaged = await copy(path, partial, options.onProgress);
    const { records, bytes } = measure(partial);
    if (overwrite) renameSync(partial, to);
    else linkSync(partial, to);
    return { records, bytes, isDamaged };
  } catch (error) {
    if (error instanceof TokenMeterError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'EEXIST' ? 'another backup into this file is under way' : message;
    throw new TokenMeterError('DATABASE_UNAVAILABLE', `cannot back up ${path} to ${to}: ${why}`, {
      value: path,
      cause: error,
    });
  } finally {
    for (const end of ['', '-wal', '-shm', '-journal']) rmSync(partial + end, { force: true });
  }
}

/** True when the ledger is damaged and only what can be read of it was copied. */
async function copy(
  path: string,
  to: string,
  onProgress: LedgerBackupOptions['onProgress'],
): Promise<boolean> {
  const { DatabaseSync, backup } = loadSqlite();
  const database = new DatabaseSync(path, { readOnly: true, timeout: BUSY_TIMEOUT_MS });
  try {
    checkLedger(database);
    // Holds one moment of the file: without it each write of another process would begin the copy again.
    database.exec('BEGIN');
    database.prepare('SELECT 1 FROM usage LIMIT 1').get();
    await backup(database, to, {
      rate: PAGES_A_STEP,
      progress: ({ totalPages, remainingPages }) =>
        onProgress?.(totalPages - remainingPages, totalPages),
    });
    if (isWhole(to)) return false;
  } catch (error) {
    if (resultCode(error) !== SQLITE_CORRUPT) throw error;
  } finally {
    database.close();
  }
  for (const end of ['-wal', '-shm', '-journal']) rmSync(to + end, { force: true });
  closeSync(openSync(to, 'w', 0o600));
  copyReadable(path, to, onProgress);
  return true;
}

function isWhole(path: string): boolean {
  const { DatabaseSync } = loadSqlite();
  const database = new DatabaseSync(path);
  try {
    return database.prepare('PRAGMA integrity_check(1)').get()?.['integrity_check'] === 'ok';
  } catch (error) {
    if (resultCode(error) !== SQLITE_CORRUPT) throw error;
    return false;
  } finally {
    closeQuietly(database);
  }
}

function copyReadable(
  path: string,
  to: string,
  onProgress: LedgerBackupOptions['onProgress'],
): void {
  const { DatabaseSync } = loadSqlite();
  const damaged = new DatabaseSync(path, { readOnly: true, timeout: BUSY_TIMEOUT_MS });
  const file = new LedgerFile({ path: to, busyTimeoutMs: BUSY_TIMEOUT_MS, repairs: false });
  try {
    let records = 0;
    file.open();
    for (const batch of readableRecords(damaged)) {
      file.write(batch);
      records += batch.length;
      onProgress?.(records, undefined);
    }
  } finally {
    file.close();
    closeQuietly(damaged);
  }
}

function measure(path: string): { records: number; bytes: number } {
  const { DatabaseSync } = loadSqlite();
  const database = new DatabaseSync(path);
  try {
    const { records } = database.prepare('SELECT count(*) AS records FROM usage').get() ?? {};
    return { records: Number(records), bytes: statSync(path).size };
  } finally {
    database.close();
  }
}

function closeQuietly(database: DatabaseSync): void {
  try {
    database.close();
  } catch {
    // A damaged database may refuse to close.
  }
}
