import {
  checkConversationQuery,
  checkQuery,
  checkRecordsQuery,
  type CheckedRecordsQuery,
  writeCursor,
} from '../../ledger/queries/checked-query.ts';
import { summarise } from '../../ledger/queries/summarise.ts';
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
import { BoundValues } from './bound-values.ts';
import { CALLS, filterConditions, timeCondition } from './ledger-sql.ts';
import { ClickHouseSummarySource } from './summary-source.ts';

const MAX_CONVERSATION_RECORDS = 1000;

/**
 * Reads the ledger of ClickHouse, whichever way it was filled. The server sums up; an aborted question ends there
 * as well.
 */
export class ClickHouseUsageReader implements UsageReader {
  readonly #session: ClickHouseSession;

  /** @throws TokenMeterError `INVALID_OPTION` */
  constructor(options: ClickHouseAccess) {
    this.#session = new ClickHouseSession(
      resolveAccess('ClickHouseUsageReader', options, READ_TIMEOUT_MS),
    );
  }

  async summary({ signal, ...query }: UsageQuery): Promise<UsageSummary> {
    const checked = await checkQuery(query);
    signal?.throwIfAborted();
    return await summarise(checked, new ClickHouseSummarySource(this.#session, signal));
  }

  async records({ signal, ...query }: UsageRecordsQuery = {}): Promise<UsagePage> {
    return await this.#page(checkRecordsQuery(query), signal);
  }

  async conversation(
    id: string,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<UsageConversation> {
    signal?.throwIfAborted();
    const filter = { conversation: id };
    const query = checkRecordsQuery({ filter, limit: MAX_CONVERSATION_RECORDS });
    const page = await this.#page(query, signal);
    const source = new ClickHouseSummarySource(this.#session, signal);
    const { total } = await summarise(await checkConversationQuery(id), source);
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
