import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LAST_ATTEMPT_MS } from '../../src/host/last-attempt.ts';
import { ExportCounts } from '../health/export-counts.ts';
import { atEndOfProcess } from '../health/process-end.ts';
import { SelfMetrics } from '../health/self-metrics.ts';
import type { ExporterError, ExporterStatus } from '../health/status.ts';
import { whileAlive } from '../health/while-alive.ts';
import { moveBacklog } from '../spool/backlog.ts';
import { DiskSpool } from '../spool/disk-spool.ts';
import type { LineChunk } from '../spool/line-queue.ts';
import { MemoryQueue } from '../spool/memory-queue.ts';
import { realFs, type SpoolFs } from '../spool/spool-fs.ts';
import type { SpoolRefusal } from '../spool/unwritten-lines.ts';
import { DeadLetterFile } from './dead-letters.ts';
import { type Destination, destinationFolder, formerFolder } from './destination-folder.ts';
import { type CallOfLine, copyNotes, ErasedUsers } from './erased-users.ts';
import { Intake, type IntakeLine } from './intake.ts';
import type { DeliveryHooks, LineDelivery } from './line-delivery.ts';
import { Sender } from './sender.ts';
import type { ResolvedSpoolOptions } from './spool-options.ts';

/** Sends under way at once: one is read by the server while the next is on its way. */
export const CONCURRENCY = 2;
/** Lines held in memory without a spool, or while its disk takes none. */
const MAX_MEMORY_BYTES = 16_000_000;
const SHUTDOWN_MS = 5000;
const POLL_MS = 5;

export interface SpooledExporterOptions {
  /** In messages, self-metrics and the name of the file of refused lines. */
  readonly name: string;
  readonly destination: Destination;
  readonly batchSize: number;
  readonly flushIntervalMs: number;
  readonly timeoutMs: number;
  readonly spool: ResolvedSpoolOptions | false;
  readonly delivery: (hooks: DeliveryHooks) => LineDelivery;
  /** Whose call a line is. @default lines are of nobody */
  readonly callOf?: ((line: Buffer) => CallOfLine | undefined) | undefined;
  /** Closes connections once nothing is sent any more. */
  readonly disconnect: () => void;
  readonly fs?: SpoolFs;
}

/** The way of lines from the instrumented process into a store: intake, spool, batches, delivery. */
export class SpooledExporter {
  readonly counts: ExportCounts;
  readonly #options: SpooledExporterOptions;
  readonly #queue: MemoryQueue | DiskSpool;
  readonly #deadLetters: DeadLetterFile | undefined;
  readonly #delivery: LineDelivery;
  readonly #sender: Sender;
  readonly #intake: Intake;
  readonly #selfMetrics: SelfMetrics;
  readonly #appends = new Set<Promise<void>>();
  readonly #forgetEnd: () => void;
  #diskError: ExporterError | undefined;
  #unkept = 0;
  #closing: Promise<void> | undefined;

  constructor(options: SpooledExporterOptions) {
    const { name, timeoutMs, spool, destination, fs = realFs } = options;
    this.counts = new ExportCounts(name);
    this.#options = options;
    this.#queue = spool === false ? this.#memoryQueue() : this.#diskSpool(spool, fs);
    this.#deadLetters =
      spool === false
        ? undefined
        : new DeadLetterFile(
            join(destinationFolder(destination, spool), `dead-letters-${name}.lines`),
            ({ message }) => {
              this.counts.warn('dead letters', `cannot keep refused lines: ${message}`);
            },
          );
    const erased =
      spool === false || options.callOf === undefined
        ? undefined
        : new ErasedUsers(destinationFolder(destination, spool), timeoutMs, options.callOf);
    this.#delivery = options.delivery({
      counts: this.counts,
      erased,
      onLatency: (ms) => this.#selfMetrics.recordLatency(ms),
      onRefused: (refused, reason, message) => {
        const kept = this.#deadLetters === undefined ? '' : `; kept in ${this.#deadLetters.path}`;
        this.counts.drop(reason, refused.length, message + kept);
        const lines = refused.map(({ body }) => Buffer.from(body));
        this.#deadLetters?.keep({ lines, reason, message });
      },
    });
    this.#sender = new Sender({
      queue: this.#queue,
      delivery: this.#delivery,
      counts: this.counts,
      batchSize: options.batchSize,
      flushIntervalMs: options.flushIntervalMs,
      concurrency: CONCURRENCY,
    });
    this.#selfMetrics = new SelfMetrics(name, () => this.status());
    // A chunk is kept or dropped as a whole: it must be small beside the bound.
    const maxChunkBytes = spool === false ? Infinity : Math.ceil(spool.maxBytes / 32);
    this.#intake = new Intake((chunk) => this.#append(chunk), maxChunkBytes);
    this.#forgetEnd = atEndOfProcess({
      beforeExit: async () => await this.flush(Math.min(LAST_ATTEMPT_MS, timeoutMs)),
      save: () => this.#save(),
      exit: () => {
        this.#save();
        if (this.#queue instanceof DiskSpool) this.#queue.releaseSync();
      },
    });
  }

  /** Takes one line, without its line break at the end, by copying it. Never throws, never waits. */
  write(line: IntakeLine): void {
    if (this.#closing === undefined) this.#intake.add(line);
    else this.counts.drop('closed', 1);
  }

  /** Resolves when everything written so far is kept, or dropped and counted. */
  async flushIntake(): Promise<void> {
    this.#intake.cut();
    await Promise.all(this.#appends);
  }

  /**
   * Everything written so far becomes durable, then an attempt is made to deliver it within `withinMs`.
   * Never rejects: what the server did not take is kept.
   */
  async flush(withinMs: number = this.#options.timeoutMs): Promise<void> {
    const deadline = performance.now() + withinMs;
    await whileAlive(this.flushIntake(), withinMs);
    const { counts } = this;
    const end = this.#finished + this.#queue.pendingLines;
    const { retries } = counts;
    this.#sender.flushNow();
    this.#delivery.retryNow();
    this.#sender.notify();
    while (this.#finished < end && counts.retries === retries && performance.now() < deadline) {
      await sleep(POLL_MS);
    }
  }

  /** Flushes within a few seconds; what is left stays in the spool for the next start. Never rejects. */
  async shutdown(): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  status(): ExporterStatus {
    const { counts } = this;
    const { state, lastSuccess } = this.#delivery;
    const lastError = this.#diskError ?? this.#delivery.lastError;
    const { pendingLines, pendingBytes, volatileLines, oldestSince } = this.#queue;
    const isSpooled = this.#queue instanceof DiskSpool;
    return {
      state: this.#diskError !== undefined && state !== 'closed' ? 'failing' : state,
      accepted: counts.accepted,
      delivered: counts.delivered,
      dropped: { ...counts.dropped },
      retries: counts.retries,
      spoolBytes: pendingBytes,
      pending: pendingLines,
      adopted: counts.adopted,
      ...(isSpooled && volatileLines > 0 && { volatile: volatileLines }),
      ...(counts.handedOver > 0 && { handedOver: counts.handedOver }),
      ...(Object.keys(counts.cleaned).length > 0 && { cleaned: { ...counts.cleaned } }),
      ...(oldestSince !== undefined && { oldestAgeMs: performance.now() - oldestSince }),
      ...(lastError !== undefined && { lastError }),
      ...(lastSuccess !== undefined && { lastSuccess }),
    };
  }

  async #close(): Promise<void> {
    await this.flush(Math.min(SHUTDOWN_MS, this.#options.timeoutMs));
    this.#delivery.stop();
    this.#options.disconnect();
    const closed = this.#sender.stop().then(async () => await this.#queue.close());
    await whileAlive(Promise.all([closed, this.#deadLetters?.written()]), SHUTDOWN_MS);
    // Lines that a stalled disk has not taken yet get their last chance at the exit.
    if (!(this.#queue instanceof DiskSpool) || !this.#queue.isWriting) this.#forgetEnd();
    if (this.#queue instanceof MemoryQueue) this.counts.drop('closed', this.#queue.pendingLines);
    this.#selfMetrics.stop();
  }

  /** Writes what has not reached the disk yet, synchronously. */
  #save(): void {
    if (!(this.#queue instanceof DiskSpool)) return;
    const gathered = this.#intake.drain();
    try {
      this.#queue.saveSync(gathered === undefined ? [] : [gathered]);
      this.counts.accepted += gathered?.lines ?? 0;
    } catch (error) {
      this.counts.warn('exit', `the disk takes no records at the end: ${(error as Error).message}`);
      // The process may go on after all.
      if (gathered !== undefined) this.#append(gathered);
    }
  }

  #memoryQueue(): MemoryQueue {
    return new MemoryQueue({
      maxBytes: MAX_MEMORY_BYTES,
      onDropped: (lines) => this.counts.drop('memory_full', lines),
    });
  }

  #diskSpool(spool: ResolvedSpoolOptions, fs: SpoolFs): DiskSpool {
    const { counts } = this;
    const { destination } = this.#options;
    const folder = destinationFolder(destination, spool);
    const former = formerFolder(destination, spool);
    if (former !== undefined) {
      copyNotes(former, folder)
        .then(async () => await moveBacklog(former, folder, fs))
        .catch(({ message }: Error) => counts.warn('upkeep', `spool folder: ${message}`));
    }
    return new DiskSpool({
      ...spool,
      fs,
      folder,
      maxMemoryBytes: MAX_MEMORY_BYTES,
      onDropped: (reason, lines) => counts.drop(reason, lines),
      destination: destination.description,
      onAccepted: (lines) => (counts.accepted += lines),
      onAdopted: (lines) => {
        counts.adopted += lines;
        // They have waited long enough.
        this.#sender.flushNow();
      },
      onHandedOver: (lines) => counts.handOver(lines),
      onWaiting: () => this.#sender.notify(),
      onUpkeepError: ({ message }) => counts.warn('upkeep', `spool folder: ${message}`),
      onDiskState: (error) => {
        if (error === undefined) {
          this.#diskError = undefined;
          return;
        }
        const message = `the spool folder takes no records (${error.message}); they wait in memory`;
        const time = new Date().toISOString();
        this.#diskError = { time, code: 'SPOOL_UNAVAILABLE', message };
        counts.warn('disk', message);
      },
    });
  }

  #append(chunk: LineChunk): void {
    this.#selfMetrics.ensure();
    const append: Promise<void> = this.#queue
      .append(chunk)
      .then(
        (acceptance) => {
          if (acceptance === 'durable') this.counts.accepted += chunk.lines;
          else this.#unkept += chunk.lines;
          this.#sender.notify();
        },
        (error: SpoolRefusal) => this.counts.drop(error.reason, chunk.lines),
      )
      .finally(() => this.#appends.delete(append));
    this.#appends.add(append);
  }

  /** Lines that were not durable when they were to be: held in memory only, or dropped. */
  get unkept(): number {
    const { memory_full = 0, spool_full = 0, closed = 0 } = this.counts.dropped;
    return this.#unkept + memory_full + spool_full + closed;
  }

  /** Lines that need no further work. */
  get #finished(): number {
    const { delivered, dropped } = this.counts;
    return Object.values(dropped).reduce((sum, count) => sum + count, delivered);
  }
}
