import { resolve } from 'node:path';
import { TokenMeterError } from '../../../src/errors.ts';
import { checkQuery, checkRecordsQuery } from '../../ledger/queries/checked-query.ts';
import type {
  UsageConversation,
  UsagePage,
  UsageQuery,
  UsageReader,
  UsageRecordsQuery,
  UsageSummary,
} from '../../ledger/usage-query.ts';
import type { ReadQuestion, ReadResult } from './reader-messages.ts';
import { CLOSED, ReaderThreads } from './reader-threads.ts';
import { SharedAnswers } from './shared-answers.ts';

export interface SqliteUsageReaderOptions {
  /** The file that a `SqliteUsageProcessor` writes, of this process or any other. */
  readonly path: string;
  /** Questions that are answered at once, 1 to 16. @default the number of cores, 2 to 4 */
  readonly threads?: number;
}

/**
 * Reads the ledger of a SQLite file in threads, so that no query holds the event loop. Identical questions get one
 * answer, and an aborted one is given up even while it runs.
 */
export class SqliteUsageReader implements UsageReader {
  readonly #path: string;
  readonly #threads: ReaderThreads;
  readonly #answers: SharedAnswers;
  #closed = false;

  /** @throws TokenMeterError `INVALID_OPTION` */
  constructor({ path, threads }: SqliteUsageReaderOptions) {
    if (typeof path !== 'string' || path === '') {
      throw new TokenMeterError('INVALID_OPTION', 'SqliteUsageReader: path must be a file name', {
        value: path,
        allowed: 'a file name',
      });
    }
    if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1 && threads <= 16)) {
      const allowed = 'a whole number from 1 to 16';
      throw new TokenMeterError('INVALID_OPTION', `SqliteUsageReader: threads must be ${allowed}`, {
        value: threads,
        allowed,
      });
    }
    this.#path = resolve(path);
    this.#threads = new ReaderThreads({
      path: this.#path,
      ...(threads !== undefined && { threads }),
    });
    this.#answers = new SharedAnswers(this.#path, (question, askedBy) =>
      this.#threads.ask(question, askedBy),
    );
  }

  async summary({ signal, askedBy, ...query }: UsageQuery): Promise<UsageSummary> {
    await checkQuery(query);
    return (await this.#ask({ kind: 'summary', query }, askedBy, signal)) as UsageSummary;
  }

  async records({ signal, askedBy, ...query }: UsageRecordsQuery = {}): Promise<UsagePage> {
    checkRecordsQuery(query);
    return (await this.#ask({ kind: 'records', query }, askedBy, signal)) as UsagePage;
  }

  async conversation(
    id: string,
    { signal, askedBy }: { readonly askedBy?: string; readonly signal?: AbortSignal } = {},
  ): Promise<UsageConversation> {
    return (await this.#ask({ kind: 'conversation', id }, askedBy, signal)) as UsageConversation;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#threads.close();
  }

  async #ask(
    question: ReadQuestion,
    askedBy: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<ReadResult> {
    signal?.throwIfAborted();
    if (this.#closed) throw this.#unavailable(CLOSED);
    try {
      return await this.#answers.answer(question, askedBy, signal);
    } catch (error) {
      signal?.throwIfAborted();
      throw this.#unavailable(error instanceof Error ? error.message : String(error));
    }
  }

  #unavailable(message: string): TokenMeterError {
    return new TokenMeterError(
      'DATABASE_UNAVAILABLE',
      `cannot read the usage ledger ${this.#path}: ${message}`,
      { value: this.#path },
    );
  }
}
