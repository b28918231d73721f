import {
  type CheckedQuery,
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
import { SharedWork } from '../../ledger/shared-work.ts';
import { Turns } from '../../ledger/turns.ts';
import { LedgerClients } from '../rollup/ledger-clients.ts';
import { READ_TIMEOUT_MS } from './query-client.ts';
import { recordPage } from './record-pages.ts';
import { SharedReads } from './shared-reads.ts';
import { InfluxSummarySource } from './influx-summary.ts';

export interface InfluxUsageReaderOptions extends Omit<InfluxAccess, 'timeoutMs'> {
  /** Longest wait for the server to go on with an answer. @default 60000 */
  readonly timeoutMs?: number;
  /** How old a summary may be: what questions of this time have in common is read once. @default 1000 */
  readonly maxAgeMs?: number;
  /** @default Date.now */
  readonly now?: () => number;
}

const MAX_CONVERSATION_RECORDS = 1000;
const MAX_AGE_MS = 1000;
/** More would only wait for one another on the server. */
const MAX_RUNNING = 6;

/**
 * Reads the ledger of InfluxDB over InfluxQL: 1.x, 2.x (whose buckets answer under their own name or
 * a DBRP mapping) and 3.x. Answers stream in and are summed up as they come. Six questions run at once, and identical
 * ones get one answer.
 */
export class InfluxUsageReader implements UsageReader {
  readonly #clients: LedgerClients;
  readonly #shared: SharedReads;
  readonly #answers: SharedWork<UsageSummary>;
  readonly #turns = new Turns(MAX_RUNNING);
  readonly #now: () => number;

  /** @throws TokenMeterError `INVALID_OPTION` */
  constructor({
    timeoutMs = READ_TIMEOUT_MS,
    maxAgeMs = MAX_AGE_MS,
    now = Date.now,
    ...options
  }: InfluxUsageReaderOptions) {
    const target = resolveInfluxOptions('InfluxUsageReader', { ...options, timeoutMs });
    this.#clients = new LedgerClients(target);
    // A kept answer may be of calls that were kept as well.
    this.#shared = new SharedReads(this.#clients, now, maxAgeMs / 2);
    this.#answers = new SharedWork({ keepMs: maxAgeMs / 2 });
    this.#now = now;
  }

  async summary({ signal, askedBy, ...query }: UsageQuery): Promise<UsageSummary> {
    const checked = await checkQuery(query);
    const answer = async (stop: AbortSignal): Promise<UsageSummary> =>
      await this.#turns.run(askedBy, stop, async () => await this.#summary(checked, stop));
    return await this.#answers.run(JSON.stringify(query), answer, signal);
  }

  async records({ signal, askedBy, ...query }: UsageRecordsQuery = {}): Promise<UsagePage> {
    const checked = checkRecordsQuery(query);
    return await this.#turns.run(
      askedBy,
      signal,
      async () => await recordPage(this.#clients.calls, checked, this.#now(), signal),
    );
  }

  async conversation(
    id: string,
    asking: { readonly askedBy?: string; readonly signal?: AbortSignal } = {},
  ): Promise<UsageConversation> {
    const { askedBy, signal } = asking;
    const filter = { conversation: id };
    const page = await this.records({ filter, limit: MAX_CONVERSATION_RECORDS, ...asking });
    const query = await checkConversationQuery(id);
    const { total } = await this.#turns.run(
      askedBy,
      signal,
      async () => await this.#summary(query, signal),
    );
    return {
      id,
      records: page.records.toReversed(),
      truncated: page.cursor !== undefined,
      ...(total.calls > 0 && { total }),
    };
  }

  async close(): Promise<void> {
    this.#clients.close();
    return await Promise.resolve();
  }

  async #summary(query: CheckedQuery, signal: AbortSignal | undefined): Promise<UsageSummary> {
    const source = new InfluxSummarySource(this.#clients, this.#shared, this.#now, signal);
    return await summarise(query, source, { cache: this.#shared.sums, signal });
  }
}
