import { setTimeout as sleep } from 'node:timers/promises';
import type { ExportCounts } from '../export-counts.ts';
import type { LineQueue } from '../spool/line-queue.ts';
import { type Delivery, DeliveryStopped } from './delivery.ts';

/** Bounds of one send, however long the backlog. 3.x takes no more than 10 MB. */
const MAX_BATCH_LINES = 5000;
const MAX_BATCH_BYTES = 2_000_000;
const PAUSE_MS = 500;

export interface SenderOptions {
  readonly queue: LineQueue;
  readonly delivery: Delivery;
  readonly counts: ExportCounts;
  /** Lines that start a send at once. */
  readonly batchSize: number;
  /** Longest wait of fewer lines. */
  readonly flushIntervalMs: number;
  /** Sends under way at once. */
  readonly concurrency: number;
}

/** Decides when lines leave the queue, and hands them to the delivery. */
export class Sender {
  readonly #options: SenderOptions;
  readonly #pumps = new Set<Promise<void>>();
  #isFlushDue = false;
  #flushTimer: NodeJS.Timeout | undefined;

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  /** What waits is to go, however little it is, at the next `wake`. */
  hurry(): void {
    this.#isFlushDue = true;
  }

  /** There may be something to send. */
  wake(): void {
    const { queue, delivery, batchSize, flushIntervalMs, concurrency } = this.#options;
    const { waitingLines } = queue;
    if (waitingLines === 0) return;
    if (waitingLines >= batchSize || this.#isFlushDue) {
      if (this.#pumps.size >= concurrency) return;
      const pump = this.#pump().finally(() => {
        this.#pumps.delete(pump);
        if (delivery.state !== 'closed') this.wake();
      });
      this.#pumps.add(pump);
      return;
    }
    this.#flushTimer ??= setTimeout(() => {
      this.#flushTimer = undefined;
      this.#isFlushDue = true;
      this.wake();
    }, flushIntervalMs).unref();
  }

  /** Resolves when nothing is under way any more; the delivery is stopped before. */
  async stop(): Promise<void> {
    clearTimeout(this.#flushTimer);
    await Promise.all(this.#pumps);
  }

  /** Takes and delivers until fewer lines wait than make a batch. */
  async #pump(): Promise<void> {
    const { queue, delivery, counts, batchSize } = this.#options;
    do {
      const batch = await queue.take(MAX_BATCH_LINES, MAX_BATCH_BYTES);
      if (queue.waitingLines === 0) this.#isFlushDue = false;
      if (batch === undefined) return;
      try {
        await delivery.deliver(batch);
      } catch (error) {
        batch.release();
        if (error instanceof DeliveryStopped) return;
        // Nothing else is known to come here; whatever it is, it may not reach the host.
        counts.warn('pump', `delivery failed (${String(error)}) and begins again`);
        await sleep(PAUSE_MS, undefined, { ref: false });
        return;
      }
      batch.done();
    } while (this.#isFlushDue || queue.waitingLines >= batchSize);
  }
}
