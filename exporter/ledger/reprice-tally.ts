import { hasUsage } from '../../src/domain/billed-usage.ts';
import type { CostSource, UsageRecord } from '../../src/domain/usage-record.ts';
import { costNanos } from './queries/usage-sums.ts';

/** New cost of a call. */
export interface RepricedCost {
  /** US dollars. */
  readonly costUsd: number;
  readonly costSource: CostSource;
  /** Billed parts without a price: `costUsd` is the sum of the others. */
  readonly costMissing?: readonly string[];
}

/** Options of repricing, the same for all stores. */
export interface RepriceOptions {
  /**
   * New cost of a call, `undefined` when unknown. A number is a price in US dollars by contract, for
   * all parts of the call.
   */
  readonly costOf: (record: UsageRecord) => number | RepricedCost | undefined;
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
  /** Calls whose reply reported the cost, which no price replaces. */
  readonly reported: number;
  /** Calls with neither a cost nor a known price. */
  readonly unknown: number;
  /** Calls without usage, such as failed ones, which cost nothing. */
  readonly unused: number;
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
  readonly source: CostSource;
  /** Empty when every part has a price. */
  readonly missing: readonly string[];
}

/** Accumulates the result while a ledger is processed. */
export class RepriceTally {
  readonly #costOf: RepriceOptions['costOf'];
  readonly #counts = {
    calls: 0,
    changed: 0,
    newlyPriced: 0,
    kept: 0,
    reported: 0,
    unknown: 0,
    unused: 0,
    refused: 0,
  };
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
    const before = costNanos(record.costUsd);
    const isReported = record.costSource === 'provider';
    const cost = isReported ? undefined : repriced(this.#costOf(record));
    const now = costNanos(cost?.costUsd);
    counts.calls++;
    this.#before += before ?? 0;
    this.#after += now ?? before ?? 0;
    if (cost === undefined || now === null) {
      if (isReported) counts.reported++;
      else if (before !== null) counts.kept++;
      else counts[hasUsage(record) ? 'unknown' : 'unused']++;
      return undefined;
    }
    const { costSource: source, costMissing: missing = [] } = cost;
    const isSame =
      now === before &&
      source === record.costSource &&
      missing.join(' ') === (record.costMissing ?? []).join(' ');
    if (isSame) return undefined;
    counts.changed++;
    if (before === null) counts.newlyPriced++;
    return { before, now, source, missing };
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

function repriced(cost: ReturnType<RepriceOptions['costOf']>): RepricedCost | undefined {
  return typeof cost === 'number' ? { costUsd: cost, costSource: 'contract' } : cost;
}
