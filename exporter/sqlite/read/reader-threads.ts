import { availableParallelism } from 'node:os';
import type { Worker } from 'node:worker_threads';
import type { UsageRow } from '../../ledger/usage-query.ts';
import { startThread } from '../worker-thread.ts';
import type {
  ReadAnswer,
  ReaderData,
  ReadQuestion,
  ReadRequest,
  ReadResult,
} from './reader-messages.ts';

/** A thread that does not notice that nobody waits any more is ended. */
const ABORT_MS = 1000;
/** How long a question waits for the thread that keeps sums for it, while others have nothing to do. */
const KEEPER_MS = 500;
const MAX_SUBJECTS = 1000;

export interface ReaderThreadsOptions extends ReaderData {
  /** @default the number of cores, 2 to 4 */
  readonly threads?: number;
  /** @default a thread that runs `reader-thread` */
  readonly startThread?: (data: ReaderData) => Worker;
}

interface Job {
  readonly question: ReadQuestion;
  readonly askedBy: string | undefined;
  readonly subject: string | undefined;
  /** It no longer waits for the thread that keeps sums for it. */
  isLate: boolean;
  readonly rows: UsageRow[];
  readonly stop: Int32Array;
  resolve(result: ReadResult): void;
  /** `message`: why the ledger cannot be read. */
  fail(message: string): void;
}

interface Reader {
  readonly worker: Worker;
  job: Job | undefined;
  /** What it was asked about, and so keeps sums of. */
  readonly subjects: Set<string>;
}

/** Where it does not matter which: a job without a thread or without an answer. */
export interface RunningQuestion {
  readonly result: Promise<ReadResult>;
  /** Nobody waits for the answer. */
  abandon(): void;
}

const startReader = (data: ReaderData): Worker =>
  startThread('reader-thread', () => new URL('./reader-thread.ts', import.meta.url), data);

/**
 * A few threads that each answer one question at a time, if they can those whose sums they keep. Sums that one person
 * asks for never take all of them: the last thread is for the others, and for the calls that he asks for, which are
 * found at once.
 */
export class ReaderThreads {
  readonly #options: ReaderThreadsOptions;
  readonly #max: number;
  readonly #readers = new Set<Reader>();
  readonly #waiting: Job[] = [];

  constructor(options: ReaderThreadsOptions) {
    this.#options = options;
    this.#max = options.threads ?? Math.min(4, Math.max(2, availableParallelism()));
  }

  /** `result` rejects with an `Error` that says why the ledger cannot be read. */
  ask(question: ReadQuestion, askedBy: string | undefined): RunningQuestion {
    const { promise: result, resolve, reject } = Promise.withResolvers<ReadResult>();
    const job: Job = {
      question,
      askedBy,
      subject: subjectOf(question),
      isLate: false,
      rows: [],
      stop: new Int32Array(new SharedArrayBuffer(4)),
      resolve,
      fail: (message) => reject(new Error(message)),
    };
    this.#waiting.push(job);
    this.#dispatch();
    if (this.#waiting.includes(job)) setTimeout(() => this.#dispatchLate(job), KEEPER_MS).unref();
    return { result, abandon: () => this.#abandon(job) };
  }

  async close(): Promise<void> {
    const readers = [...this.#readers];
    for (const job of this.#waiting.splice(0)) job.fail(CLOSED);
    for (const { job } of readers) {
      if (job !== undefined) Atomics.store(job.stop, 0, 1);
      job?.fail(CLOSED);
    }
    await Promise.all(
      readers.map(async ({ worker }) => {
        const ended = new Promise((resolve) => worker.once('exit', resolve));
        worker.ref();
        worker.postMessage('close');
        await ended;
      }),
    );
  }

  #dispatch(): void {
    for (;;) {
      const idle = [...this.#readers].find((reader) => reader.job === undefined);
      if (idle === undefined && this.#readers.size >= this.#max) return;
      const next = this.#waiting.findIndex((job) => this.#isAllowed(job) && !this.#waitsFor(job));
      const [job] = next === -1 ? [] : this.#waiting.splice(next, 1);
      if (job === undefined) return;
      const keeper = this.#keepersOf(job).find((reader) => reader.job === undefined);
      this.#run(keeper ?? idle ?? this.#start(), job);
    }
  }

  #dispatchLate(job: Job): void {
    job.isLate = true;
    this.#dispatch();
  }

  /** Another thread would have to make sums that one has already. */
  #waitsFor(job: Job): boolean {
    const keepers = this.#keepersOf(job);
    return !job.isLate && keepers.length > 0 && keepers.every((reader) => reader.job !== undefined);
  }

  #keepersOf({ subject }: Job): readonly Reader[] {
    if (subject === undefined) return [];
    return [...this.#readers].filter(({ subjects }) => subjects.has(subject));
  }

  #isAllowed({ askedBy, question }: Job): boolean {
    if (askedBy === undefined || this.#max === 1) return true;
    const running = [...this.#readers].flatMap(({ job }) =>
      job?.askedBy === askedBy && !isAbandoned(job) ? [job] : [],
    );
    if (running.length < this.#max - 1) return true;
    // Two walks by a filter that few calls pass would leave nothing to the others.
    return (
      question.kind === 'records' &&
      running.length < this.#max &&
      running.every((job) => job.question.kind !== 'records')
    );
  }

  #run(reader: Reader, job: Job): void {
    reader.job = job;
    if (reader.subjects.size >= MAX_SUBJECTS) reader.subjects.clear();
    if (job.subject !== undefined) reader.subjects.add(job.subject);
    // A caller that waits must not lose the event loop to an unref'd thread.
    reader.worker.ref();
    reader.worker.postMessage({ stop: job.stop, ...job.question } satisfies ReadRequest);
  }

  #abandon(job: Job): void {
    const place = this.#waiting.indexOf(job);
    if (place !== -1) this.#waiting.splice(place, 1);
    Atomics.store(job.stop, 0, 1);
    const reader = [...this.#readers].find((one) => one.job === job);
    if (reader === undefined) return;
    reader.worker.unref();
    setTimeout(() => {
      if (reader.job !== job) return;
      this.#forget(reader, 'it was given up');
      void reader.worker.terminate();
    }, ABORT_MS).unref();
  }

  #start(): Reader {
    const { path, startThread: start = startReader } = this.#options;
    const worker = start({ path });
    const reader: Reader = { worker, job: undefined, subjects: new Set() };
    this.#readers.add(reader);
    worker.on('message', (answer: ReadAnswer) => this.#take(reader, answer));
    worker.on('error', (error) =>
      this.#forget(reader, error instanceof Error ? error.message : String(error)),
    );
    worker.on('exit', (code) => this.#forget(reader, `the reader thread ended with ${code}`));
    return reader;
  }

  #take(reader: Reader, answer: ReadAnswer): void {
    const { job } = reader;
    if (job === undefined) return;
    if (answer.kind === 'rows') {
      job.rows.push(...answer.rows);
      return;
    }
    reader.job = undefined;
    reader.worker.unref();
    if (answer.kind === 'failed') job.fail(answer.message);
    else {
      const { result } = answer;
      const whole = 'rows' in result && job.rows.length > 0;
      job.resolve(whole ? { ...result, rows: [...job.rows, ...result.rows] } : result);
    }
    this.#dispatch();
  }

  #forget(reader: Reader, message: string): void {
    if (!this.#readers.delete(reader)) return;
    reader.job?.fail(message);
    reader.job = undefined;
    this.#dispatch();
  }
}

/** Equal for questions that are answered from the same sums, at whatever time. */
function subjectOf(question: ReadQuestion): string | undefined {
  if (question.kind !== 'summary') return undefined;
  const {
    from: _from,
    to: _to,
    limit: _limit,
    orderBy: _by,
    order: _order,
    ...subject
  } = question.query;
  return JSON.stringify(subject);
}

/** It ends in a moment. */
const isAbandoned = ({ stop }: Job): boolean => Atomics.load(stop, 0) !== 0;

export const CLOSED = 'the reader was closed';
