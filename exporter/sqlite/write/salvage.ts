import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { UsageRecord } from '../../../src/domain/usage-record.ts';
import { resultCode, SQLITE_CORRUPT } from '../result-code.ts';
import { fromRow, SELECT_COLUMNS, timeToNs } from '../stored-record.ts';

/** Records handed on at once: one transaction of the file that takes them. */
const BATCH = 2000;
const END_NS = 2n ** 63n - 1n;

/**
 * The records of a damaged ledger that can still be read, in the order of time. `usage` is one tree that is
 * sorted by time, so a damaged page hides one run of time: reading goes on behind it, at the first moment
 * from which the tree can be entered again. Throws where the file cannot be read at all.
 */
export function* readableRecords(database: DatabaseSync): Generator<readonly UsageRecord[]> {
  let from: bigint | undefined = 0n;
  while (from !== undefined) {
    let batch: UsageRecord[] = [];
    let last: bigint = from;
    let damaged = false;
    const rows = oldestFirst(database).iterate(from);
    for (;;) {
      try {
        const next = rows.next();
        if (next.done === true) break;
        const record = fromRow(next.value);
        batch.push(record);
        last = timeToNs(record.time);
      } catch (error) {
        // What a damaged cell holds may be no time or no JSON at all.
        if (resultCode(error) !== SQLITE_CORRUPT && !isOdd(error)) throw error;
        damaged = true;
        break;
      }
      if (batch.length === BATCH) {
        yield batch;
        batch = [];
      }
    }
    if (batch.length > 0) yield batch;
    from = damaged ? nextReadable(database, last) : undefined;
  }
}

const isOdd = (error: unknown): boolean =>
  error instanceof SyntaxError || error instanceof RangeError;

/** Prepared each time: a statement that met a damaged page throws again when it is used again. */
const oldestFirst = (database: DatabaseSync, limit = ''): StatementSync =>
  database.prepare(
    `SELECT ${SELECT_COLUMNS} FROM usage WHERE time_ns >= ? ORDER BY time_ns, id ${limit}`,
  );

/** The first moment after `ns` from which the tree can be read; undefined: there is none. */
function nextReadable(database: DatabaseSync, ns: bigint): bigint | undefined {
  const isReadable = (from: bigint): boolean => {
    try {
      const row = oldestFirst(database, 'LIMIT 1').get(from);
      if (row !== undefined) fromRow(row);
      return true;
    } catch {
      return false;
    }
  };
  let unreadable = ns;
  let step = 1n;
  let readable = ns + step;
  while (!isReadable(readable)) {
    unreadable = readable;
    if (readable === END_NS) return undefined;
    step *= 2n;
    readable = readable + step > END_NS ? END_NS : readable + step;
  }
  while (readable - unreadable > 1n) {
    const middle = (readable + unreadable) / 2n;
    if (isReadable(middle)) readable = middle;
    else unreadable = middle;
  }
  return readable;
}
