import { setTimeout as sleep } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { diag } from '@opentelemetry/api';
import { TokenMeterError } from '../../../src/errors.ts';
import type { UsageRecord } from '../../../src/domain/usage-record.ts';
import { ExportCounts } from '../../health/export-counts.ts';
import { atEndOfProcess } from '../../health/process-end.ts';
import { SelfMetrics } from '../../health/self-metrics.ts';
import type { ExporterStatus } from '../../health/status.ts';
import { whileAlive } from '../../health/while-alive.ts';
import { LedgerFile, type LedgerRepair } from './ledger-file.ts';
import { startThread } from '../worker-thread.ts';
import { UnsavedRecords } from './unsaved-records.ts';
import type { LeftOutCounts, WriterAnswer, WriterData } from './writer-messages.ts';

/** Copying a batch to the thread takes the event loop about 1 ms at this size. */
const BATCH_RECORDS = 250;
/** A commit costs the same for one record as for many: wait for company. */
const GATHER_MS = 20;
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 30_000;
/** As long as another process may hold the file, so that what waits for it is still written. */
const SHUTDOWN_MS = 5000;
const CLOSE_RETRY_MS = 200;
/** A thread whose disk does not answer is left to itself. */
const THREAD_END_MS = 2000;
/** At the end of the process another one may hold the file for a moment; a signal may have other listeners. */
const END_BUSY_TIMEOUT_MS = 250;

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
  startThread('writer-thread', () => new URL('./writer-thread.ts', import.meta.url), data);

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
  readonly #unsaved: UnsavedRecords;
  readonly #forgetEnd: () => void;
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
  /** The last failure was the lock of another process. */
  #isLocked = false;
  /** Records in a file beside the ledger, after `close`. */
  #saved = 0;
  #adopted = 0;
  /** Accepted or adopted, and dropped then. */
  #undelivered = 0;

  constructor(options: LedgerQueueOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#unsaved = new UnsavedRecords(options.path);
    this.#forgetEnd = atEndOfProcess({
      // `exit` follows and writes at once what is left.
      beforeExit: async () => await Promise.resolve(),
      save: () => this.#writeNow(),
      exit: () => this.#writeNow(),
    });
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

  /**
   * Never rejects; takes a few seconds at the most, however the disk is. What cannot be written into the
   * ledger in that time is saved beside it.
   */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#flushWithin(this.#options.shutdownMs ?? SHUTDOWN_MS);
    this.#saveRest();
    clearTimeout(this.#timer);
    this.#forgetEnd();
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

  /** Tries again until the time is over: a lock of another process may go. */
  async #flushWithin(ms: number): Promise<void> {
    const end = performance.now() + ms;
    for (;;) {
      const left = end - performance.now();
      if (left <= 0 || (this.#queue.length === 0 && this.#inFlight.length === 0)) return;
      const wasTried = await whileAlive(this.flush(), left);
      if (!wasTried || (this.#failures > 0 && !this.#isLocked)) return;
      await whileAlive(sleep(CLOSE_RETRY_MS), Math.max(0, end - performance.now()));
    }
  }

  #saveRest(): void {
    const rest = [...this.#inFlight, ...this.#queue].map(({ record }) => record);
    this.#queue = [];
    this.#inFlight = [];
    if (rest.length === 0) return this.#unsaved.remove();
    try {
      this.#unsaved.save(rest);
      this.#saved = rest.length;
      this.#counts.accepted += rest.length;
    } catch (error) {
      this.#counts.drop('unwritable', rest.length, messageOf(error));
    }
  }

  status(): ExporterStatus {
    const oldest = this.#inFlight[0] ?? this.#queue[0];
    return {
      state: this.#state(),
      accepted: this.#counts.accepted,
      delivered: this.#counts.accepted + this.#adopted - this.#saved - this.#undelivered,
      ...(this.#saved > 0 && { pending: this.#saved }),
      ...(this.#adopted > 0 && { adopted: this.#adopted }),
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
    const { path, retentionDays, rollUpRetentionDays, startThread } = this.#options;
    const start = startThread ?? startWriter;
    const thread = start({ path, retentionDays, rollUpRetentionDays });
    if (this.#waiting.length > 0) thread.ref();
    thread.on('message', (answer: WriterAnswer) => {
      if (answer.kind === 'repaired') return this.#warnRepaired(answer.repair);
      if (answer.kind === 'adopted') {
        this.#adopted += answer.fresh + this.#dropLeftOut(answer.leftOut);
        return this.#counts.drop('unwritable', answer.unreadable);
      }
      this.#busy = false;
      if (answer.kind === 'written') return this.#written(answer.leftOut);
      this.#isLocked = answer.isLocked;
      this.#failed(answer.message);
    });
    const lost = (message: string): void => {
      if (this.#thread !== thread) return;
      this.#thread = undefined;
      this.#busy = false;
      this.#isLocked = false;
      this.#failed(message);
    };
    thread.on('error', (error) => lost(error instanceof Error ? error.message : String(error)));
    thread.on('exit', (code) => lost(`the writer thread ended with ${code}`));
    return thread;
  }

  /** Returns how many there are. */
  #dropLeftOut(leftOut: LeftOutCounts): number {
    let all = 0;
    for (const [reason, records] of Object.entries(leftOut)) {
      this.#counts.drop(reason as keyof LeftOutCounts, records);
      all += records;
    }
    this.#undelivered += all;
    return all;
  }

  #written(leftOut: LeftOutCounts): void {
    this.#counts.accepted += this.#inFlight.length;
    this.#dropLeftOut(leftOut);
    if (this.#failures > 0) diag.info(`token-meter: ${this.#options.path} can be written again`);
    this.#failures = 0;
    if (this.#inFlight.length > 0) {
      this.#lastSuccess = new Date(this.#now()).toISOString();
      this.#selfMetrics.recordLatency(performance.now() - this.#sentAt);
    }
    this.#inFlight = [];
    if (this.#waiting.length > 0 && this.#queue.length > 0) return this.#send();
    if (this.#queue.length === 0) {
      // Saved by a signal that did not end the process; what `close` saved is for the next one.
      if (!this.#closed) this.#unsaved.remove();
      this.#finish((waiter) => waiter.resolve());
    } else if (this.#queue.length >= BATCH_RECORDS) this.#send();
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
    this.#finish((waiter) => waiter.reject(error));
    if (this.#closed) return;
    this.#sendIn(Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** (this.#failures - 1)));
  }

  #finish(how: (waiter: { resolve: () => void; reject: (error: Error) => void }) => void): void {
    this.#thread?.unref();
    for (const waiter of this.#waiting.splice(0)) how(waiter);
  }

  #warnRepaired(repair: LedgerRepair): void {
    const what =
      repair.how === 'reindexed'
        ? 'its indexes were made again, no record is lost'
        : `it was moved to ${repair.aside}, and the ${repair.records} record(s) that could be read are in a new one`;
    const message = `the usage ledger ${this.#options.path} was damaged (${repair.reason}): ${what}`;
    this.#lastError = {
      time: new Date(this.#now()).toISOString(),
      code: 'DATABASE_UNAVAILABLE',
      message,
    };
    diag.error(`token-meter: ${message}`);
  }

  /**
   * Synchronous: the process may end without another chance. A batch that the thread is writing at the same
   * time meets its own keys.
   */
  #writeNow(): void {
    const underWay = this.#inFlight.map(({ record }) => record);
    const queued = this.#queue.map(({ record }) => record);
    if (underWay.length + queued.length === 0) return;
    const { path } = this.#options;
    const file = new LedgerFile({ path, busyTimeoutMs: END_BUSY_TIMEOUT_MS, repairs: false });
    try {
      // Counted when the thread answers.
      file.write(underWay);
      file.onLeftOut = (reason, records) => this.#dropLeftOut({ [reason]: records });
      file.write(queued);
      this.#counts.accepted += this.#queue.length;
      this.#queue = [];
      this.#unsaved.remove();
    } catch (error) {
      this.#saveBeside([...underWay, ...queued], error);
    } finally {
      file.close();
    }
  }

  #saveBeside(records: readonly UsageRecord[], cause: unknown): void {
    try {
      this.#unsaved.save(records);
    } catch (error) {
      const why = `${messageOf(cause)}; ${messageOf(error)}`;
      diag.error(`token-meter: ${records.length} usage record(s) lost at the end: ${why}`);
    }
  }
}

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
