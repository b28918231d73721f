import { statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { TokenMeterError } from '../../src/errors.ts';
import { checkLedger } from './schema.ts';
import { loadSqlite } from './sqlite-module.ts';

/** What a ledger file holds. */
export interface SqliteLedgerSize {
  readonly calls: number;
  /** Of the file and its log. */
  readonly bytes: number;
  /** Part of `bytes` that the sums take; absent for files over 4 GiB, where to count it takes long. */
  readonly rollUpBytes?: number;
}

const MAX_COUNTED_BYTES = 4 * 2 ** 30;
const SUMS =
  "name LIKE 'usage\\_hour%' ESCAPE '\\' OR name LIKE 'usage\\_day%' ESCAPE '\\' OR name = 'usage_summed_day'";

/** @throws TokenMeterError `DATABASE_UNAVAILABLE` */
export function sqliteLedgerSize(path: string): SqliteLedgerSize {
  let database: DatabaseSync | undefined;
  try {
    const bytes = ['', '-wal']
      .map((end) => statSync(path + end, { throwIfNoEntry: false })?.size ?? 0)
      .reduce((sum, size) => sum + size);
    const sqlite = loadSqlite();
    database = new sqlite.DatabaseSync(path, { readOnly: true });
    checkLedger(database);
    const numberOf = (sql: string): number =>
      Number(Object.values(database?.prepare(sql).get() ?? {})[0]);
    const calls = numberOf('SELECT total(calls) FROM usage_day');
    if (bytes > MAX_COUNTED_BYTES) return { calls, bytes };
    const rollUpBytes = numberOf(
      `SELECT total(pgsize) FROM dbstat WHERE aggregate = TRUE AND (${SUMS})`,
    );
    return { calls, bytes, rollUpBytes };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new TokenMeterError(
      'DATABASE_UNAVAILABLE',
      `cannot read the usage ledger ${path}: ${message}`,
      { value: path, cause: error },
    );
  } finally {
    database?.close();
  }
}
