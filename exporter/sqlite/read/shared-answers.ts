import { statSync } from 'node:fs';
import { SharedWork } from '../../ledger/shared-work.ts';
import type { ReadQuestion, ReadResult } from './reader-messages.ts';
import type { RunningQuestion } from './reader-threads.ts';

const KEPT_MS = 1000;
/** Larger answers are not worth their memory. */
const MAX_KEPT_ROWS = 2000;

/**
 * One answer for identical questions: while it is worked out, and for a second after, as long as the ledger is the
 * same. Nobody gets an answer from before a write that was finished when the question was asked.
 */
export class SharedAnswers {
  readonly #path: string;
  readonly #ask: (question: ReadQuestion, askedBy: string | undefined) => RunningQuestion;
  readonly #work = new SharedWork<ReadResult>({
    keepMs: KEPT_MS,
    isKept: (result) =>
      ('rows' in result ? result.rows.length : result.records.length) <= MAX_KEPT_ROWS,
  });

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
    const work = async (stop: AbortSignal): Promise<ReadResult> => {
      const running = this.#ask(question, askedBy);
      stop.addEventListener('abort', () => running.abandon(), { once: true });
      return await running.result;
    };
    return await this.#work.run(key, work, signal);
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
