import { setTimeout as sleep } from 'node:timers/promises';
import type { ExportCounts } from '../health/export-counts.ts';
import type { LineQueue } from '../spool/line-queue.ts';
import { DeliveryStopped, type LineDelivery } from './line-delivery.ts';

/** Bound of one send, however long the backlog. */
const MAX_BATCH_LINES = 5000;
const PAUSE_MS = 500;

export interface SenderOptions {
  readonly queue: LineQueue;
  readonly delivery: Pick<LineDelivery, 'deliver' | 'maxBatchBytes' | 'state'>;
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

  /** What waits is to go, however little it is, at the next `notify`. */
  flushNow(): void {
    this.#isFlushDue = true;
  }

  /** There may be something to send. */
  notify(): void {
    const { queue, delivery, flushIntervalMs, concurrency } = this.#options;
    if (queue.waitingLines === 0) return;
    if (this.#isBatchDue(this.#pumps.size)) {
      if (this.#pumps.size >= concurrency) return;
      const pump = this.#pump().finally(() => {
        this.#pumps.delete(pump);
        if (delivery.state !== 'closed') this.notify();
      });
      this.#pumps.add(pump);
      return;
    }
    this.#flushTimer ??= setTimeout(() => {
      this.#flushTimer = undefined;
      this.#isFlushDue = true;
      this.notify();
    }, flushIntervalMs).unref();
  }

  /** Resolves when nothing is under way any more; the delivery is stopped before. */
  async stop(): Promise<void> {
    clearTimeout(this.#flushTimer);
    await Promise.all(this.#pumps);
  }

  /**
   * `others`: sends under way. What waits beside one goes with the next, unless it fills a whole one:
   * a server has less work with few large writes.
   */
  #isBatchDue(others: number): boolean {
    const { queue, batchSize } = this.#options;
    const enough = others === 0 ? batchSize : MAX_BATCH_LINES;
    return queue.waitingLines >= enough || (this.#isFlushDue && queue.waitingLines > 0);
  }

  /** Takes and delivers until fewer lines wait than make a batch. */
  async #pump(): Promise<void> {
    const { queue, delivery, counts } = this.#options;
    do {
      const batch = await queue.take(MAX_BATCH_LINES, delivery.maxBatchBytes);
      if (queue.waitingLines === 0) this.#isFlushDue = false;
      if (batch === undefined) {
        // What waits cannot be read now, or another pump was faster.
        if (queue.waitingLines > 0) await sleep(PAUSE_MS, undefined, { ref: false });
        return;
      }
      try {
        await delivery.deliver(batch.chunks);
      } catch (error) {
        batch.release();
        if (error instanceof DeliveryStopped) return;
        // Nothing else is known to be thrown; whatever it is, it may not reach the host.
        counts.warn('pump', `delivery failed (${String(error)}) and is tried again`);
        await sleep(PAUSE_MS, undefined, { ref: false });
        return;
      }
      batch.done();
      for (const { recycle } of batch.chunks) recycle?.();
    } while (this.#isBatchDue(this.#pumps.size - 1));
  }
}
