import { Readable } from 'node:stream';
import type { ClickHouseClient, ClickHouseSettings } from '@clickhouse/client';
import { CONCURRENCY } from '../../delivery/spooled-exporter.ts';
import type { ResolvedClickHouseOptions } from '../clickhouse-options.ts';
import { loadClickHouse } from '../load-client.ts';
import { LEDGER } from '../schema/columns.ts';
import type { InsertAnswer } from './answers.ts';

/** What is read of an answer. */
const MAX_ANSWER_BYTES = 64 * 1024;

/** Of every insert of rows in `JSONEachRow`. */
export const ROW_SETTINGS: ClickHouseSettings = {
  // RFC 3339.
  date_time_input_format: 'best_effort',
  // A row of a newer release may come to a table that is not migrated yet.
  input_format_skip_unknown_fields: 1,
  // Into the shards before the answer, where the table is a distributed one.
  insert_distributed_sync: 1,
};

/** Inserts by the official client. */
export class RowInserts {
  readonly #options: ResolvedClickHouseOptions;
  readonly #closed = new AbortController();
  #client: Promise<ClickHouseClient> | undefined;

  constructor(options: ResolvedClickHouseOptions) {
    this.#options = options;
  }

  /** Rejects when there is no answer. */
  async insert(rows: Buffer, token: string): Promise<InsertAnswer> {
    const { timeoutMs, asyncInsert } = this.#options;
    const client = await this.#loaded();
    const { stream, http_status_code, response_headers } = await client.exec({
      query: `INSERT INTO ${LEDGER} FORMAT JSONEachRow`,
      values: Readable.from([rows], { objectMode: false }),
      ignore_error_response: true,
      abort_signal: AbortSignal.any([this.#closed.signal, AbortSignal.timeout(timeoutMs)]),
      clickhouse_settings: {
        ...ROW_SETTINGS,
        // What the server gathers has no token: the key of the rows drops what comes twice.
        ...(asyncInsert
          ? { async_insert: 1, wait_for_async_insert: 1 }
          : { async_insert: 0, insert_deduplication_token: token }),
      },
    });
    const pieces: Buffer[] = [];
    let bytes = 0;
    for await (const piece of stream) {
      bytes += (piece as Buffer).length;
      if (bytes <= MAX_ANSWER_BYTES) pieces.push(piece as Buffer);
    }
    return {
      status: http_status_code ?? 200,
      headers: response_headers,
      body: Buffer.concat(pieces).toString(),
    };
  }

  close(): void {
    this.#closed.abort(new Error('the exporter was shut down'));
    void this.#client?.then(async (client) => await client.close()).catch(() => {});
  }

  async #loaded(): Promise<ClickHouseClient> {
    this.#client ??= loadClickHouse(this.#options, {
      maxSockets: CONCURRENCY,
      holdsProcess: false,
    });
    try {
      return await this.#client;
    } catch (error) {
      this.#client = undefined;
      throw error;
    }
  }
}
