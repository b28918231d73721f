import { resolve } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { TokenMeterError } from '../../../src/errors.ts';
import { checkQuery, checkRecordsQuery } from '../../ledger/queries/checked-query.ts';
import type {
  UsageConversation,
  UsagePage,
  UsageQuery,
  UsageReader,
  UsageRecordsQuery,
  UsageRow,
  UsageSummary,
} from '../../ledger/usage-query.ts';
import type { ReadAnswer, ReaderData, ReadRequest, ReadResult } from './reader-messages.ts';
import { startThread } from '../worker-thread.ts';

export interface SqliteUsageReaderOptions {
  /** The file that a `SqliteUsageProcessor` writes, of this process or any other. */
  readonly path: string;
}

interface Waiting {
  readonly rows: UsageRow[];
  resolve(result: ReadResult): void;
  reject(reason: unknown): void;
}

type Ask<T> = T extends ReadRequest ? Omit<T, 'number' | 'stop'> : never;

/**
 * Reads the ledger of a SQLite file in a thread of its own, so that no query holds the event loop.
 * Queries are answered one after the other; an aborted one is given up even while it runs.
 */
export class SqliteUsageReader implements UsageReader {
  readonly #path: string;
  readonly #waiting = new Map<number, Waiting>();
  #thread: Worker | undefined;
  #number = 0;
  #closed = false;

  /** @throws TokenMeterError `INVALID_OPTION` */
  constructor({ path }: SqliteUsageReaderOptions) {
    if (typeof path !== 'string' || path === '') {
      throw new TokenMeterError('INVALID_OPTION', 'SqliteUsageReader: path must be a file name', {
        value: path,
        allowed: 'a file name',
      });
    }
    this.#path = resolve(path);
  }

  async summary({ signal, ...query }: UsageQuery): Promise<UsageSummary> {
    await checkQuery(query);
    return (await this.#ask({ kind: 'summary', query }, signal)) as UsageSummary;
  }

  async records({ signal, ...query }: UsageRecordsQuery = {}): Promise<UsagePage> {
    checkRecordsQuery(query);
    return (await this.#ask({ kind: 'records', query }, signal)) as UsagePage;
  }

  async conversation(
    id: string,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<UsageConversation> {
    return (await this.#ask({ kind: 'conversation', id }, signal)) as UsageConversation;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const thread = this.#thread;
    this.#failAll('the reader was closed');
    if (thread === undefined) return;
    const ended = new Promise((resolve) => thread.once('exit', resolve));
    thread.ref();
    thread.postMessage('close');
    await ended;
  }

  async #ask(request: Ask<ReadRequest>, signal: AbortSignal | undefined): Promise<ReadResult> {
    signal?.throwIfAborted();
    if (this.#closed) throw this.#unavailable('the reader was closed');
    const number = ++this.#number;
    const stop = new Int32Array(new SharedArrayBuffer(4));
    const thread = (this.#thread ??= this.#startThread());
    let onAbort: (() => void) | undefined;
    try {
      return await new Promise<ReadResult>((resolve, reject) => {
        this.#waiting.set(number, { rows: [], resolve, reject });
        onAbort = () => reject(signal?.reason);
        signal?.addEventListener('abort', onAbort, { once: true });
        // A caller that waits must not lose the event loop to an unref'd thread.
        thread.ref();
        thread.postMessage({ number, stop, ...request } satisfies ReadRequest);
      });
    } finally {
      Atomics.store(stop, 0, 1);
      this.#waiting.delete(number);
      if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort);
      if (this.#waiting.size === 0) this.#thread?.unref();
    }
  }

  #startThread(): Worker {
    const thread = startThread(
      'reader-thread',
      () => new URL('./reader-thread.ts', import.meta.url),
      {
        path: this.#path,
      } satisfies ReaderData,
    );
    thread.on('message', (answer: ReadAnswer) => this.#take(answer));
    const lost = (message: string): void => {
      if (this.#thread !== thread) return;
      this.#failAll(message);
    };
    thread.on('error', (error) => lost(error instanceof Error ? error.message : String(error)));
    thread.on('exit', (code) => lost(`the reader thread ended with ${code}`));
    return thread;
  }

  #take(answer: ReadAnswer): void {
    const waiting = this.#waiting.get(answer.number);
    if (waiting === undefined) return;
    if (answer.kind === 'rows') {
      waiting.rows.push(...answer.rows);
    } else if (answer.kind === 'failed') {
      waiting.reject(this.#unavailable(answer.message));
    } else {
      const { result } = answer;
      const whole = 'rows' in result && waiting.rows.length > 0;
      waiting.resolve(whole ? { ...result, rows: [...waiting.rows, ...result.rows] } : result);
    }
  }

  #failAll(message: string): void {
    this.#thread = undefined;
    for (const waiting of this.#waiting.values()) waiting.reject(this.#unavailable(message));
  }

  #unavailable(message: string): TokenMeterError {
    return new TokenMeterError(
      'DATABASE_UNAVAILABLE',
      `cannot read the usage ledger ${this.#path}: ${message}`,
      { value: this.#path },
    );
  }
}
