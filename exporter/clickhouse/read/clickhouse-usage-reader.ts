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
import { SharedWork } from '../../ledger/shared-work.ts';
import { Turns } from '../../ledger/turns.ts';
import type {
  UsageConversation,
  UsagePage,
  UsageQuery,
  UsageReader,
  UsageRecordsQuery,
  UsageSummary,
} from '../../ledger/usage-query.ts';
import { type ClickHouseAccess, READ_TIMEOUT_MS, resolveAccess } from '../clickhouse-options.ts';
import { ClickHouseSession } from '../clickhouse-session.ts';
import { RECORD_COLUMNS, recordOf } from '../stored-row.ts';
import { BorderCalls } from './border-calls.ts';
import { BoundValues } from './bound-values.ts';
import { CALLS, filterConditions, timeCondition } from './ledger-sql.ts';
import { ClickHouseSummarySource, type SharedFacts } from './summary-source.ts';

export interface ClickHouseUsageReaderOptions extends ClickHouseAccess {
  /** How old a summary may be: what questions of this time have in common is asked once. @default 1000 */
  readonly maxAgeMs?: number;
}

const MAX_CONVERSATION_RECORDS = 1000;
const MAX_AGE_MS = 1000;
/** The end of what has expired moves as slowly as time does. */
const EXPIRED_MS = 30_000;
/** Of days that stay as they are. */
const DAYS_MS = 1_800_000;
/** More would only wait for one another on the server. */
const MAX_RUNNING = 8;

/**
 * Reads the ledger of ClickHouse, whichever way it was filled. The server sums up; an aborted question ends there
 * as well. Eight questions run at once, and identical ones get one answer.
 */
export class ClickHouseUsageReader implements UsageReader {
  readonly #session: ClickHouseSession;

  readonly #answers: SharedWork<UsageSummary>;
  readonly #shared: SharedFacts;
  readonly #cache = new SumsCache();
  readonly #turns = new Turns(MAX_RUNNING);

  /** @throws TokenMeterError `INVALID_OPTION` */
  constructor({ maxAgeMs = MAX_AGE_MS, ...options }: ClickHouseUsageReaderOptions) {
    this.#session = new ClickHouseSession(
      resolveAccess('ClickHouseUsageReader', options, READ_TIMEOUT_MS),
    );
    // A kept answer may be of hours that were looked up before it.
    this.#answers = new SharedWork({ keepMs: maxAgeMs / 2 });
    this.#shared = {
      marks: new SharedWork({ keepMs: maxAgeMs / 2 }),
      calls: new BorderCalls(this.#session, maxAgeMs / 2),
      expired: new SharedWork({ keepMs: EXPIRED_MS }),
      rankings: new SharedWork({ keepMs: DAYS_MS }),
      counts: new SharedWork({ keepMs: DAYS_MS }),
      worthReading: new SharedWork({ keepMs: EXPIRED_MS }),
    };
  }

  async summary({ signal, askedBy, ...query }: UsageQuery): Promise<UsageSummary> {
    const checked = await checkQuery(query);
    const answer = async (stop: AbortSignal): Promise<UsageSummary> =>
      await this.#turns.run(askedBy, stop, async () => await this.#summary(checked, stop));
    return await this.#answers.run(JSON.stringify(query), answer, signal);
  }

  async records({ signal, askedBy, ...query }: UsageRecordsQuery = {}): Promise<UsagePage> {
    const checked = checkRecordsQuery(query);
    return await this.#turns.run(askedBy, signal, async () => await this.#page(checked, signal));
  }

  async conversation(
    id: string,
    asking: { readonly askedBy?: string; readonly signal?: AbortSignal } = {},
  ): Promise<UsageConversation> {
    const { askedBy, signal } = asking;
    const filter = { conversation: id };
    const page = await this.records({ filter, limit: MAX_CONVERSATION_RECORDS, ...asking });
    const query = await checkConversationQuery(id);
    const source = new ClickHouseSummarySource(this.#session, this.#shared, signal);
    const { total } = await this.#turns.run(
      askedBy,
      signal,
      async () => await summarise(query, source),
    );
    return {
      id,
      records: page.records.toReversed(),
      truncated: page.cursor !== undefined,
      ...(total.calls > 0 && { total }),
    };
  }

  async close(): Promise<void> {
    await this.#session.close();
  }

  async #summary(query: CheckedQuery, signal: AbortSignal | undefined): Promise<UsageSummary> {
    const source = new ClickHouseSummarySource(this.#session, this.#shared, signal);
    return await summarise(query, source, { cache: this.#cache, signal });
  }

  async #page(query: CheckedRecordsQuery, signal: AbortSignal | undefined): Promise<UsagePage> {
    const { fromMs, toMs, filters, limit, after } = query;
    const bound = new BoundValues();
    const older =
      after === undefined
        ? ''
        : ` AND (time, record_id) < (${bound.moment(after[0])}, ${bound.text(after[1])})`;
    const where = timeCondition(fromMs, toMs, bound) + filterConditions(filters, bound) + older;
    const text = `SELECT ${RECORD_COLUMNS} FROM ${CALLS} WHERE ${where}
      ORDER BY time DESC, record_id DESC LIMIT ${limit + 1}`;
    const rows = await this.#session.rows(
      { text, values: bound.values },
      { signal, settings: { use_skip_indexes_if_final: 1 } },
    );
    const records = rows.slice(0, limit).map(recordOf);
    const last = records.at(-1);
    return {
      records,
      ...(rows.length > limit && last !== undefined && { cursor: writeCursor(last) }),
    };
  }
}
