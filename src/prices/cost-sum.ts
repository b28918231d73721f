import { hasUsage } from '../domain/billed-usage.ts';
import type { UsageRecord } from '../domain/usage-record.ts';
import { NANO_DOLLARS } from './nano-dollars.ts';

/** Cost of a set of calls. */
export interface SummedCost {
  readonly calls: number;
  /** US dollars; absent when no call has a cost. */
  readonly costUsd?: number;
  /** Calls whose cost is a lower bound, as parts of them have no price. */
  readonly partialCostCalls: number;
  /** Calls without a price, not included in the cost. */
  readonly unpricedCalls: number;
  /** Calls whose tokens were estimated. */
  readonly estimatedCalls: number;
}

export function nanosOf(costUsd: number): number {
  return Math.round(costUsd * NANO_DOLLARS);
}

type Cost = Pick<UsageRecord, 'costUsd' | 'costMissing' | 'tokenSource'> &
  Parameters<typeof hasUsage>[0];

/** Adds costs in whole nano-dollars. */
export class CostSum {
  #calls = 0;
  #nanos: number | undefined;
  #partial = 0;
  #unpriced = 0;
  #estimated = 0;

  add(record: Cost): void {
    const { costUsd, costMissing, tokenSource } = record;
    this.#calls += 1;
    if (costUsd === undefined) this.#unpriced += Number(hasUsage(record));
    else this.#nanos = (this.#nanos ?? 0) + nanosOf(costUsd);
    if (costMissing !== undefined) this.#partial += 1;
    if (tokenSource === 'estimated') this.#estimated += 1;
  }

  result(): SummedCost {
    return {
      calls: this.#calls,
      ...(this.#nanos !== undefined && { costUsd: this.#nanos / NANO_DOLLARS }),
      partialCostCalls: this.#partial,
      unpricedCalls: this.#unpriced,
      estimatedCalls: this.#estimated,
    };
  }
}
