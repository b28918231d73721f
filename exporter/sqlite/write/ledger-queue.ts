import type { Worker } from 'node:worker_threads';
import { diag } from '@opentelemetry/api';
import { TokenMeterError } from '../../../src/errors.ts';
import type { UsageRecord } from '../../../src/domain/usage-record.ts';
import { ExportCounts } from '../../health/export-counts.ts';
import { SelfMetrics } from '../../health/self-metrics.ts';
import type { ExporterStatus } from '../../health/status.ts';
import { whileAlive } from '../../health/while-alive.ts';
import { LedgerFile } from './ledger-file.ts';
import { startThread } from '../worker-thread.ts';
import type { WriterAnswer, WriterData } from './writer-messages.ts';

/** Copying a batch to the thread takes the event loop about 1 ms at this size. */
const BATCH_RECORDS = 250;
/** A commit costs the same for one record as for many: wait for company. */
const GATHER_MS = 20;
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 30_000;
/** As long as another process may hold the file, so that what waits for it is still written. */
const SHUTDOWN_MS = 5000;
/** A thread whose disk does not answer is left to itself. */
const THREAD_END_MS = 2000;
/** At process exit there is no second try; another process may hold the file for a moment. */
const EXIT_BUSY_TIMEOUT_MS = 1000;

export interface LedgerQueueOptions extends WriterData {
  /** Records kept in memory while the file cannot be written; more are dropped and counted. */
  readonly maxQueuedRecords: number;
  readonly now?: () => number;
  /** @default a thread that runs `writer-thread` */
  readonly startThread?: (data: WriterData) => Worker;
  /** How long `close` waits for the last records. @default 5000 */
  readonly shutdownMs?: number;
}

const startWriter = (data: WriterData): Worker =>
  startThread(new URL('./writer-thread.ts', import.meta.url), data);

interface Queued {
  readonly record: UsageRecord;
  readonly since: number;
}

/**
 * Records on their way into the file: gathered here, written by a thread, one batch at a time. A
 * record counts as accepted when its transaction is on the disk.
 */
export class LedgerQueue {
  readonly #options: LedgerQueueOptions;
  readonly #now: () => number;
  readonly #counts = new ExportCounts('sqlite');
  readonly #selfMetrics = new SelfMetrics('sqlite', () => this.status());
  readonly #waiting: { resolve: () => void; reject: (error: Error) => void }[] = [];
  readonly #onExit = (): void => this.#writeAtExit();
  #queue: Queued[] = [];
  #inFlight: readonly Queued[] = [];
  #thread: Worker | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #lastError: ExporterStatus['lastError'];
  #lastSuccess: string | undefined;
  #closed = false;
  /** The thread owes an answer. */
  #busy = false;
  #sentAt = 0;

  constructor(options: LedgerQueueOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    process.on('exit', this.#onExit);
    // Opens the file, so that a bad path shows at the start and not with the first record.
    this.#send();
  }

  add(record: UsageRecord): void {
    if (this.#closed) return this.#counts.drop('closed', 1);
    const held = this.#queue.length + this.#inFlight.length;
    if (held >= this.#options.maxQueuedRecords) return this.#counts.drop('queue_full', 1);
    this.#queue.push({ record, since: this.#now() });
    if (this.#queue.length >= BATCH_RECORDS && this.#failures === 0) this.#send();
    else this.#sendIn(GATHER_MS);
  }

  /** Resolves when all records so far are on the disk; rejects when writing them fails. */
  flush(): Promise<void> {
    if (this.#queue.length === 0 && this.#inFlight.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      // A host that waits must not lose its event loop to an unref'd thread.
      this.#thread?.ref();
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.#send();
    });
  }

  /** Never rejects; takes a few seconds at the most, however the disk is. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    // A failure was told already; what could not be written is counted below.
    await whileAlive(this.flush(), this.#options.shutdownMs ?? SHUTDOWN_MS);
    this.#counts.drop('unwritable', this.#queue.length + this.#inFlight.length);
    this.#queue = [];
    this.#inFlight = [];
    clearTimeout(this.#timer);
    process.off('exit', this.#onExit);
    this.#selfMetrics.stop();
    const thread = this.#thread;
    this.#thread = undefined;
    if (thread === undefined) return;
    const ended = new Promise((resolve) => thread.once('exit', resolve));
    thread.ref();
    thread.postMessage('close');
    if (await whileAlive(ended, THREAD_END_MS)) return;
    thread.unref();
    void thread.terminate();
  }

  status(): ExporterStatus {
    const oldest = this.#inFlight[0] ?? this.#queue[0];
    return {
      state: this.#state(),
      accepted: this.#counts.accepted,
      delivered: this.#counts.accepted,
      dropped: { ...this.#counts.dropped },
      retries: this.#counts.retries,
      spoolBytes: 0,
      ...(oldest !== undefined && { oldestAgeMs: this.#now() - oldest.since }),
      ...(this.#lastError !== undefined && { lastError: this.#lastError }),
      ...(this.#lastSuccess !== undefined && { lastSuccess: this.#lastSuccess }),
    };
  }

  #state(): ExporterStatus['state'] {
    if (this.#closed) return 'closed';
    if (this.#failures === 0) return 'ok';
    return this.#failures < 3 ? 'retrying' : 'failing';
  }

  #sendIn(delayMs: number): void {
    if (this.#timer !== undefined || this.#busy) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#send();
    }, delayMs).unref();
  }

  #send(): void {
    if (this.#busy) return;
    if (this.#inFlight.length === 0) this.#inFlight = this.#queue.splice(0, BATCH_RECORDS);
    this.#busy = true;
    this.#selfMetrics.ensure();
    this.#sentAt = performance.now();
    this.#thread ??= this.#startThread();
    this.#thread.postMessage({ records: this.#inFlight.map(({ record }) => record) });
  }

  #startThread(): Worker {
    const { path, retentionDays, startThread: start = startWriter } = this.#options;
    const thread = start({ path, retentionDays });
    if (this.#waiting.length > 0) thread.ref();
    thread.on('message', (answer: WriterAnswer) => {
      if (answer.kind === 'movedAside') return this.#warnMovedAside(answer);
      this.#busy = false;
      if (answer.kind === 'written') return this.#written();
      this.#failed(answer.message);
    });
    const lost = (message: string): void => {
      if (this.#thread !== thread) return;
      this.#thread = undefined;
      this.#busy = false;
      this.#failed(message);
    };
    thread.on('error', (error) => lost(error instanceof Error ? error.message : String(error)));
    thread.on('exit', (code) => lost(`the writer thread ended with ${code}`));
    return thread;
  }

  #written(): void {
    this.#counts.accepted += this.#inFlight.length;
    if (this.#failures > 0) diag.info(`token-meter: ${this.#options.path} can be written again`);
    this.#failures = 0;
    if (this.#inFlight.length > 0) {
      this.#lastSuccess = new Date(this.#now()).toISOString();
      this.#selfMetrics.recordLatency(performance.now() - this.#sentAt);
    }
    this.#inFlight = [];
    if (this.#waiting.length > 0 && this.#queue.length > 0) return this.#send();
    if (this.#queue.length === 0) this.#settle((waiter) => waiter.resolve());
    else if (this.#queue.length >= BATCH_RECORDS) this.#send();
    else this.#sendIn(GATHER_MS);
  }

  #failed(message: string): void {
    this.#failures++;
    this.#counts.retries++;
    const { path } = this.#options;
    const text = `cannot write the usage ledger ${path}: ${message}`;
    const time = this.#now();
    this.#lastError = {
      time: new Date(time).toISOString(),
      code: 'DATABASE_UNAVAILABLE',
      message: text,
    };
    this.#counts.warn('failed', `${text}; records wait in memory and it is tried again`);
    const error = new TokenMeterError('DATABASE_UNAVAILABLE', text, { value: path });
    this.#settle((waiter) => waiter.reject(error));
    if (this.#closed) return;
    this.#sendIn(Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** (this.#failures - 1)));
  }

  #settle(how: (waiter: { resolve: () => void; reject: (error: Error) => void }) => void): void {
    this.#thread?.unref();
    for (const waiter of this.#waiting.splice(0)) how(waiter);
  }

  #warnMovedAside({ path, reason }: { path: string; reason: string }): void {
    const message = `the usage ledger ${this.#options.path} is corrupted (${reason}): it was moved to ${path} and a new one was started`;
    this.#lastError = {
      time: new Date(this.#now()).toISOString(),
      code: 'DATABASE_UNAVAILABLE',
      message,
    };
    diag.error(`token-meter: ${message}`);
  }

  /**
   * The one synchronous write: `process.exit()` gives no other chance. A batch that the thread is
   * writing at the same time meets its own keys.
   */
  #writeAtExit(): void {
    const records = [...this.#inFlight, ...this.#queue].map(({ record }) => record);
    if (records.length === 0) return;
    const { path } = this.#options;
    try {
      const file = new LedgerFile({ path, busyTimeoutMs: EXIT_BUSY_TIMEOUT_MS });
      file.write(records);
      file.close();
      this.#counts.accepted += records.length;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      diag.error(`token-meter: ${records.length} usage record(s) lost at exit: ${message}`);
    }
  }
}
