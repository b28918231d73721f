import { statSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type { DatabaseSync } from 'node:sqlite';
import {
  type CheckedQuery,
  checkConversationQuery,
  checkQuery,
  checkRecordsQuery,
  type CheckedRecordsQuery,
  writeCursor,
} from '../../ledger/queries/checked-query.ts';
import { summarise } from '../../ledger/queries/summarise.ts';
import { SumsCache } from '../../ledger/queries/sums-cache.ts';
import type {
  UsageConversation,
  UsagePage,
  UsageQuery,
  UsageRecordsQuery,
  UsageSummary,
} from '../../ledger/usage-query.ts';
import { resultCode, SQLITE_CANTOPEN, SQLITE_READONLY } from '../result-code.ts';
import { checkLedger } from '../schema.ts';
import { loadSqlite } from '../sqlite-module.ts';
import { fromRow, SELECT_COLUMNS, timeToNs } from '../stored-record.ts';
import { callConditions } from './summary-sql.ts';
import { SqliteSummarySource } from './sqlite-summary.ts';

/** Another process may be checkpointing or moving the file. */
const BUSY_TIMEOUT_MS = 5000;
/** The cache of pages that groupings may take; what needs more goes to a temporary file. */
const CACHE_KIB = 32_768;
const MAX_CONVERSATION_RECORDS = 1000;

/** The ledger file as a reader sees it; synchronous, so it belongs into a worker thread. */
export class LedgerView {
  readonly #path: string;
  readonly #keepGoing: () => void;
  #database: DatabaseSync | undefined;
  #inode: bigint | undefined;
  /** Of this file. */
  #cache = new SumsCache();

  /** @param keepGoing is asked during long walks; its throw ends the query. */
  constructor(path: string, keepGoing: () => void) {
    this.#path = path;
    this.#keepGoing = keepGoing;
  }

  async summary(query: UsageQuery): Promise<UsageSummary> {
    return await this.#summary(await checkQuery(query));
  }

  records(query: UsageRecordsQuery): UsagePage {
    return page(this.#open(), checkRecordsQuery(query));
  }

  async conversation(id: string): Promise<UsageConversation> {
    const filter = { conversation: id };
    const limit = MAX_CONVERSATION_RECORDS;
    const { records, cursor } = this.records({ filter, limit });
    const { total } = await this.#summary(await checkConversationQuery(id));
    return {
      id,
      records: records.toReversed(),
      truncated: cursor !== undefined,
      ...(total.calls > 0 && { total }),
    };
  }

  close(): void {
    this.#database?.close();
    this.#database = undefined;
  }

  /** All statements of a summary see the same records. */
  async #summary(query: CheckedQuery): Promise<UsageSummary> {
    const database = this.#open();
    database.exec('BEGIN');
    try {
      return await summarise(query, new SqliteSummarySource(database), { cache: this.#cache });
    } finally {
      if (database.isTransaction) database.exec('ROLLBACK');
    }
  }

  #open(): DatabaseSync {
    const inode = statSync(this.#path, { bigint: true, throwIfNoEntry: false })?.ino;
    // Another process may have moved a corrupted file aside, or someone deleted it.
    if (this.#database !== undefined && inode !== this.#inode) this.close();
    if (this.#database !== undefined) return this.#database;
    if (inode === undefined) throw new Error('there is no such file');
    const database = openForReading(this.#path);
    try {
      checkLedger(database);
      database.exec(`PRAGMA cache_size = -${CACHE_KIB}`);
      database.function('keep_going', { varargs: false }, () => {
        this.#keepGoing();
        return 1;
      });
    } catch (error) {
      database.close();
      throw error;
    }
    if (inode !== this.#inode) this.#cache = new SumsCache();
    this.#database = database;
    this.#inode = inode;
    return database;
  }
}

/** Reading needs the log and its index beside the file; where they cannot be made, nobody writes either. */
function openForReading(path: string): DatabaseSync {
  const { DatabaseSync } = loadSqlite();
  const database = new DatabaseSync(path, { readOnly: true, timeout: BUSY_TIMEOUT_MS });
  try {
    database.prepare('SELECT 1 FROM sqlite_schema').get();
    return database;
  } catch (error) {
    database.close();
    if (![SQLITE_CANTOPEN, SQLITE_READONLY].includes(resultCode(error))) throw error;
  }
  if ((statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0) {
    throw new Error(
      'its folder is read-only and its newest records are in the log beside it: ' +
        'make a copy with `otel-token-meter backup` where the ledger is written',
    );
  }
  const address = pathToFileURL(path);
  address.searchParams.set('immutable', '1');
  return new DatabaseSync(address, { readOnly: true });
}

function page(database: DatabaseSync, query: CheckedRecordsQuery): UsagePage {
  const { fromMs, toMs, filters, limit, after } = query;
  const { text, values } = callConditions(fromMs, toMs, filters);
  const older = after === undefined ? '' : ' AND (time_ns, id) < (?, ?)';
  const rows = database
    .prepare(
      `SELECT ${SELECT_COLUMNS} FROM usage WHERE ${text}${older}
       ORDER BY time_ns DESC, id DESC LIMIT ?`,
    )
    .all(...values, ...(after === undefined ? [] : [timeToNs(after[0]), after[1]]), limit + 1);
  const records = rows.slice(0, limit).map(fromRow);
  const last = records.at(-1);
  return {
    records,
    ...(rows.length > limit && last !== undefined && { cursor: writeCursor(last) }),
  };
}
