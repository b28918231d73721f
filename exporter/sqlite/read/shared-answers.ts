import { statSync } from 'node:fs';
import type { ReadQuestion, ReadResult } from './reader-messages.ts';
import type { RunningQuestion } from './reader-threads.ts';

const KEPT_MS = 1000;
const MAX_KEPT = 50;
/** Larger answers are not worth their memory. */
const MAX_KEPT_ROWS = 2000;

interface Shared {
  readonly running: RunningQuestion;
  waiters: number;
  isDone: boolean;
}

/**
 * One answer for identical questions: while it is worked out, and for a second after, as long as the ledger is the
 * same. Nobody gets an answer from before a write that was finished when the question was asked.
 */
export class SharedAnswers {
  readonly #path: string;
  readonly #ask: (question: ReadQuestion, askedBy: string | undefined) => RunningQuestion;
  readonly #shared = new Map<string, Shared>();

  constructor(
    path: string,
    ask: (question: ReadQuestion, askedBy: string | undefined) => RunningQuestion,
  ) {
    this.#path = path;
    this.#ask = ask;
  }

  async answer(
    question: ReadQuestion,
    askedBy: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<ReadResult> {
    const key = `${this.#fileState()} ${JSON.stringify(question)}`;
    const shared = this.#shared.get(key) ?? this.#begin(key, question, askedBy);
    if (shared.isDone) return await shared.running.result;
    shared.waiters++;
    let onAbort: (() => void) | undefined;
    const aborted = new Promise<never>((_, reject) => {
      onAbort = () => reject(signal?.reason);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
    try {
      return await Promise.race([shared.running.result, aborted]);
    } finally {
      if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort);
      shared.waiters--;
      if (shared.waiters === 0 && !shared.isDone) {
        this.#shared.delete(key);
        shared.running.abandon();
      }
    }
  }

  #begin(key: string, question: ReadQuestion, askedBy: string | undefined): Shared {
    const running = this.#ask(question, askedBy);
    const shared: Shared = { running, waiters: 0, isDone: false };
    this.#shared.set(key, shared);
    running.result.then(
      (result) => {
        shared.isDone = true;
        const rows = 'rows' in result ? result.rows.length : result.records.length;
        if (rows > MAX_KEPT_ROWS || this.#shared.size > MAX_KEPT) this.#forget(key, shared);
        else setTimeout(() => this.#forget(key, shared), KEPT_MS).unref();
      },
      () => {
        shared.isDone = true;
        this.#forget(key, shared);
      },
    );
    return shared;
  }

  #forget(key: string, shared: Shared): void {
    if (this.#shared.get(key) === shared) this.#shared.delete(key);
  }

  /** Changes with every write: records go to the log beside the file, or into it. */
  #fileState(): string {
    return [this.#path, `${this.#path}-wal`]
      .map((path) => {
        const state = statSync(path, { bigint: true, throwIfNoEntry: false });
        return state === undefined ? '' : `${state.ino}.${state.size}.${state.mtimeNs}`;
      })
      .join(' ');
  }
}
