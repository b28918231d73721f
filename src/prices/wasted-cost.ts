import type { UsageRecord } from '../domain/usage-record.ts';
import { CostSum, type SummedCost } from './cost-sum.ts';

/** Calls that ended without a whole reply, and what they cost all the same. */
export interface WastedCost extends SummedCost {
  /**
   * Those that were probably tried again: a call of the same user, conversation and model succeeded
   * within a minute.
   */
  readonly retried: SummedCost;
}

const RETRY_MS = 60_000;
/** Successful calls remembered, the newest of each user, conversation and model. */
const REMEMBERED_MAX = 100_000;

/** Records come newest first, so a retry is known before the call that it repeats. */
export class WastedCostTally {
  readonly #sums = { error: new CostSum(), aborted: new CostSum() };
  readonly #retried = { error: new CostSum(), aborted: new CostSum() };
  readonly #succeededAt = new Map<string, number>();

  add(record: UsageRecord): void {
    const { outcome, userId, conversationId, requestModel, operation, durationMs } = record;
    // It did not reach the provider.
    if (outcome === 'blocked') return;
    const endedMs = Date.parse(record.time);
    // Without either, calls of anybody would pass for retries.
    const isKnown = userId !== undefined || conversationId !== undefined;
    const key = JSON.stringify([userId, conversationId, requestModel, operation]);
    if (outcome === 'ok') {
      if (!isKnown) return;
      this.#succeededAt.delete(key);
      this.#succeededAt.set(key, endedMs - durationMs);
      const [oldest] = this.#succeededAt.keys();
      if (this.#succeededAt.size > REMEMBERED_MAX && oldest !== undefined) {
        this.#succeededAt.delete(oldest);
      }
      return;
    }
    this.#sums[outcome].add(record);
    const againMs = isKnown ? this.#succeededAt.get(key) : undefined;
    if (againMs !== undefined && againMs >= endedMs && againMs - endedMs <= RETRY_MS) {
      this.#retried[outcome].add(record);
    }
  }

  result(): { readonly failed: WastedCost; readonly aborted: WastedCost } {
    return {
      failed: { ...this.#sums.error.result(), retried: this.#retried.error.result() },
      aborted: { ...this.#sums.aborted.result(), retried: this.#retried.aborted.result() },
    };
  }
}
