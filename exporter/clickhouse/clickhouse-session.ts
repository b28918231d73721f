import type {
  ClickHouseClient,
  ClickHouseSettings,
  ResultSet as AnswerOf,
} from '@clickhouse/client';
import { TokenMeterError } from '../../src/errors.ts';
import type { ResolvedAccess } from './clickhouse-options.ts';
import { exceptionIn, MISSING_TABLE, withoutValues } from './exception.ts';
import { loadClickHouse } from './load-client.ts';

/** A statement with its values, which are sent beside it. */
export interface Sql {
  readonly text: string;
  readonly values?: Readonly<Record<string, unknown>>;
}

interface AskOptions {
  readonly signal?: AbortSignal | undefined;
  readonly settings?: ClickHouseSettings;
}

export type Row = Readonly<Record<string, unknown>>;

/** The values of each column, in the order of rows. */
export type Columns = Readonly<Record<string, readonly unknown[]>>;

/** Questions and commands. Rejects with `BACKEND_REFUSED`, `BACKEND_UNREACHABLE` or `MISSING_DEPENDENCY`. */
export class ClickHouseSession {
  readonly #access: ResolvedAccess;
  readonly #holdsProcess: boolean;
  readonly #closed = new AbortController();
  #client: Promise<ClickHouseClient> | undefined;

  /** `holdsProcess`: whether a question keeps a process alive that has nothing else to do. */
  constructor(
    access: ResolvedAccess,
    { holdsProcess = true }: { readonly holdsProcess?: boolean } = {},
  ) {
    this.#access = access;
    this.#holdsProcess = holdsProcess;
  }

  get database(): string {
    return this.#access.database;
  }

  /** The rows of one answer. An abort ends the query on the server too. */
  async rows(sql: Sql, options: AskOptions = {}): Promise<readonly Row[]> {
    return await this.#query(sql, options, 'JSONEachRow', async (answer) => await answer.json());
  }

  /** The same by columns, where there may be many rows. */
  async columns(sql: Sql, options: AskOptions = {}): Promise<Columns> {
    return await this.#query(sql, options, 'JSONColumnsWithMetadata', async (answer) => {
      // Of this format the client's type is that of rows.
      const { data } = (await answer.json()) as { readonly data: unknown };
      return data as Columns;
    });
  }

  async #query<F extends 'JSONEachRow' | 'JSONColumnsWithMetadata', T>(
    sql: Sql,
    { signal, settings = {} }: AskOptions,
    format: F,
    read: (answer: AnswerOf<F>) => Promise<T>,
  ): Promise<T> {
    return await this.#ask(signal, async (client, ended) => {
      const answer = await client.query({
        query: sql.text,
        format,
        ...(sql.values && { query_params: { ...sql.values } }),
        abort_signal: ended,
        clickhouse_settings: {
          output_format_json_quote_64bit_integers: 0,
          // An error in the middle of an answer is an error, not a short answer.
          wait_end_of_query: 1,
          cancel_http_readonly_queries_on_client_close: 1,
          max_execution_time: Math.ceil(this.#access.timeoutMs / 1000),
          ...settings,
        },
      });
      return await read(answer);
    });
  }

  /** A statement without rows. */
  async command(sql: Sql, { signal, settings = {} }: AskOptions = {}): Promise<void> {
    await this.#ask(signal, async (client, ended) => {
      await client.command({
        query: sql.text,
        ...(sql.values && { query_params: { ...sql.values } }),
        abort_signal: ended,
        clickhouse_settings: { wait_end_of_query: 1, ...settings },
      });
    });
  }

  /** Rows as objects, in one block. */
  async insert(
    table: string,
    rows: readonly Row[],
    { signal, settings = {} }: AskOptions = {},
  ): Promise<void> {
    await this.#ask(signal, async (client, ended) => {
      await client.insert({
        table,
        values: [...rows],
        format: 'JSONEachRow',
        abort_signal: ended,
        clickhouse_settings: settings,
      });
    });
  }

  async close(): Promise<void> {
    this.#closed.abort(new Error('the reader was closed'));
    const client = await this.#client?.catch(() => undefined);
    await client?.close();
  }

  async #ask<T>(
    signal: AbortSignal | undefined,
    ask: (client: ClickHouseClient, ended: AbortSignal) => Promise<T>,
  ): Promise<T> {
    signal?.throwIfAborted();
    const { signal: closed } = this.#closed;
    const ended = signal === undefined ? closed : AbortSignal.any([closed, signal]);
    try {
      ended.throwIfAborted();
      const client = await this.#loaded();
      return await untilAborted(ask(client, ended), ended);
    } catch (error) {
      signal?.throwIfAborted();
      throw this.#explained(closed.aborted ? closed.reason : error);
    }
  }

  async #loaded(): Promise<ClickHouseClient> {
    this.#client ??= loadClickHouse(this.#access, {
      maxSockets: 8,
      holdsProcess: this.#holdsProcess,
    });
    try {
      return await this.#client;
    } catch (error) {
      this.#client = undefined;
      throw error;
    }
  }

  #explained(error: unknown): TokenMeterError {
    if (error instanceof TokenMeterError) return error;
    const { code, message = String(error) } = error as Partial<Error & { code: string }>;
    const { origin } = new URL(this.#access.url);
    const number = exceptionIn(message)?.code ?? Number(code);
    if (!Number.isInteger(number) || number === 0) {
      const said = message === '' ? (code ?? 'no answer') : withoutValues(message);
      return new TokenMeterError(
        'BACKEND_UNREACHABLE',
        `ClickHouse at ${origin} does not answer: ${said}`,
        { cause: error },
      );
    }
    // No cause: it holds the whole message, and with it what was asked for.
    const setUp = MISSING_TABLE.has(number)
      ? ': run otel-token-meter setup clickhouse, which makes and updates the tables'
      : '';
    return new TokenMeterError(
      'BACKEND_REFUSED',
      `ClickHouse at ${origin} refused: ${withoutValues(message)}${setUp}`,
      { value: number },
    );
  }
}

/** The client notices an abort when its socket closes, which may be later. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let onAbort = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
    work.catch(() => {});
  }
}
