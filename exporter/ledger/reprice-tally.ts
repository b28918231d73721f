import type { UsageRecord } from '../../src/domain/usage-record.ts';
import { costNanos } from './queries/usage-sums.ts';

/** Options of repricing, the same for all stores. */
export interface RepriceOptions {
  /** New cost of a call in US dollars; `undefined` when unknown. */
  readonly costOf: (record: UsageRecord) => number | undefined;
  /** @default the whole ledger */
  readonly from?: Date;
  readonly to?: Date;
  /** Reports changes without writing them. @default false */
  readonly dryRun?: boolean;
  readonly onProgress?: (done: RepriceResult) => void;
  readonly signal?: AbortSignal;
}

export interface RepriceResult {
  /** Calls processed. */
  readonly calls: number;
  readonly changed: number;
  /** Changed calls that had no cost before. */
  readonly newlyPriced: number;
  /** Calls without a known price that keep their cost. */
  readonly kept: number;
  /** Calls with neither a cost nor a known price. */
  readonly unknown: number;
  /** Calls whose new cost the store refused. */
  readonly refused: number;
  /** Reason of the last refusal. */
  readonly lastRefusal?: string;
  /** US dollars of all processed calls. */
  readonly beforeUsd: number;
  readonly afterUsd: number;
}

/** Integer nano-dollars, so that sums do not drift. `before` is null when the call had no cost. */
export interface CostChange {
  readonly before: number | null;
  readonly now: number;
}

/** Accumulates the result while a ledger is processed. */
export class RepriceTally {
  readonly #costOf: RepriceOptions['costOf'];
  readonly #counts = { calls: 0, changed: 0, newlyPriced: 0, kept: 0, unknown: 0, refused: 0 };
  #lastRefusal: string | undefined;
  #before = 0;
  #after = 0;

  constructor(costOf: RepriceOptions['costOf']) {
    this.#costOf = costOf;
  }

  get calls(): number {
    return this.#counts.calls;
  }

  /** Adds one call. Returns `undefined` when its cost is unchanged. */
  add(record: UsageRecord): CostChange | undefined {
    const counts = this.#counts;
    const [before, now] = [costNanos(record.costUsd), costNanos(this.#costOf(record))];
    counts.calls++;
    this.#before += before ?? 0;
    this.#after += now ?? before ?? 0;
    if (now === null) counts[before === null ? 'unknown' : 'kept']++;
    if (now === null || now === before) return undefined;
    counts.changed++;
    if (before === null) counts.newlyPriced++;
    return { before, now };
  }

  /** Reverts a change that the store refused. */
  refuse({ before, now }: CostChange, reason: string): void {
    const counts = this.#counts;
    counts.changed--;
    counts.refused++;
    this.#lastRefusal = reason;
    if (before === null) counts.newlyPriced--;
    this.#after += (before ?? 0) - now;
  }

  result(): RepriceResult {
    return {
      ...this.#counts,
      beforeUsd: this.#before / 1e9,
      afterUsd: this.#after / 1e9,
      ...(this.#lastRefusal !== undefined && { lastRefusal: this.#lastRefusal }),
    };
  }
}
