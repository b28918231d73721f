import {
  checkConversationQuery,
  checkQuery,
  checkRecordsQuery,
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
import { type InfluxAccess, resolveInfluxOptions } from '../influx-options.ts';
import { RollUpCache } from '../rollup/roll-up-cache.ts';
import { InfluxQueryClient, READ_TIMEOUT_MS } from './query-client.ts';
import { recordPage } from './record-pages.ts';
import { InfluxSummarySource } from './influx-summary.ts';

export interface InfluxUsageReaderOptions extends Omit<InfluxAccess, 'timeoutMs'> {
  /** Longest wait for the server to go on with an answer. @default 60000 */
  readonly timeoutMs?: number;
  /** @default Date.now */
  readonly now?: () => number;
}

const MAX_CONVERSATION_RECORDS = 1000;

/**
 * Reads the ledger of InfluxDB over InfluxQL: 1.x, 2.x (whose buckets answer under their own name or
 * a DBRP mapping) and 3.x. Answers stream in and are summed up as they come.
 */
export class InfluxUsageReader implements UsageReader {
  readonly #client: InfluxQueryClient;
  readonly #cache = new RollUpCache();
  readonly #now: () => number;

  /** @throws TokenMeterError `INVALID_OPTION` */
  constructor({
    timeoutMs = READ_TIMEOUT_MS,
    now = Date.now,
    ...options
  }: InfluxUsageReaderOptions) {
    const target = resolveInfluxOptions('InfluxUsageReader', { ...options, timeoutMs });
    this.#client = new InfluxQueryClient(target);
    this.#now = now;
  }

  async summary({ signal, ...query }: UsageQuery): Promise<UsageSummary> {
    const checked = await checkQuery(query);
    signal?.throwIfAborted();
    return await summarise(
      checked,
      new InfluxSummarySource(this.#client, this.#cache, this.#now, signal),
    );
  }

  async records({ signal, ...query }: UsageRecordsQuery = {}): Promise<UsagePage> {
    const checked = checkRecordsQuery(query);
    signal?.throwIfAborted();
    return await recordPage(this.#client, checked, this.#now(), signal);
  }

  async conversation(
    id: string,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<UsageConversation> {
    signal?.throwIfAborted();
    const filter = { conversation: id };
    const query = checkRecordsQuery({ filter, limit: MAX_CONVERSATION_RECORDS });
    const page = await recordPage(this.#client, query, this.#now(), signal);
    const source = new InfluxSummarySource(this.#client, this.#cache, this.#now, signal);
    const { total } = await summarise(await checkConversationQuery(id), source);
    return {
      id,
      records: page.records.toReversed(),
      truncated: page.cursor !== undefined,
      ...(total.calls > 0 && { total }),
    };
  }

  async close(): Promise<void> {
    this.#client.close();
    return await Promise.resolve();
  }
}
