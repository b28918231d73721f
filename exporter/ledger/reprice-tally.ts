import type { UsageRecord } from '../../src/domain/usage-record.ts';
import { costNanos } from './queries/usage-sums.ts';

/** What to work out anew, whatever store the ledger is in. */
export interface RepriceOptions {
  /** What a call costs now, in US dollars; undefined: unknown. */
  readonly costOf: (record: UsageRecord) => number | undefined;
  /** @default the whole ledger */
  readonly from?: Date;
  readonly to?: Date;
  /** Tells what would change, and changes nothing. @default false */
  readonly dryRun?: boolean;
  readonly onProgress?: (done: RepriceResult) => void;
  readonly signal?: AbortSignal;
}

export interface RepriceResult {
  /** Calls looked at. */
  readonly calls: number;
  readonly changed: number;
  /** Of the changed ones: had no price before. */
  readonly newlyPriced: number;
  /** Have a cost, but no price is known any more: they keep it. */
  readonly kept: number;
  /** Have neither a cost nor a price. */
  readonly unknown: number;
  /** Would have changed, but the store does not take their new cost. */
  readonly refused: number;
  /** Why the last of them did not. */
  readonly lastRefusal?: string;
  /** US dollars of all calls looked at. */
  readonly beforeUsd: number;
  readonly afterUsd: number;
}

/** Whole nano-dollars, so that sums do not drift; `before` null: the call had no cost. */
export interface CostChange {
  readonly before: number | null;
  readonly now: number;
}

/** Counts while a ledger is gone through. */
export class RepriceTally {
  readonly #costOf: RepriceOptions['costOf'];
  readonly #counts = { calls: 0, changed: 0, newlyPriced: 0, kept: 0, unknown: 0, refused: 0 };
  #lastRefusal: string | undefined;
  #before = 0;
  #after = 0;

  constructor(costOf: RepriceOptions['costOf']) {
    this.#costOf = costOf;
  }

  /** Calls looked at. */
  get calls(): number {
    return this.#counts.calls;
  }

  /** Counts one call; undefined when its cost stays as it is. */
  look(record: UsageRecord): CostChange | undefined {
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

  /** Takes a counted change back. */
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
