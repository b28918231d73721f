import { setImmediate as nextTurn } from 'node:timers/promises';
import type { UsageRecord } from '../domain/usage-record.ts';
import { type CacheSavings, CacheSavingsTally } from './cache-savings.ts';
import { CostSum, type SummedCost } from './cost-sum.ts';
import { type PriceSource, Prices } from './prices.ts';
import { type WastedCost, WastedCostTally } from './wasted-cost.ts';
import { type WhatIf, type WhatIfRule, WhatIfTally } from './what-if.ts';

export interface CostAnalysisOptions {
  /** Other models to compare with. */
  readonly whatIf?: readonly WhatIfRule[];
  /** File with contract prices. */
  readonly pricesFile?: string;
  /** File of a downloaded price list. */
  readonly listFile?: string;
}

/** What a set of calls cost, and what they would have cost otherwise. */
export interface CostAnalysis {
  readonly total: SummedCost;
  readonly caching: CacheSavings;
  readonly failed: WastedCost;
  readonly aborted: WastedCost;
  readonly whatIf: readonly WhatIf[];
  readonly prices?: PriceSource;
}

/** Some milliseconds of the event loop. */
const CALLS_A_TURN = 100;

/**
 * Analyses calls, newest first, one after the other: memory does not grow with their number. Rejects with
 * `INVALID_CONFIG` for an invalid price file.
 */
export async function analyseCosts(
  records: AsyncIterable<UsageRecord> | Iterable<UsageRecord>,
  options: CostAnalysisOptions = {},
): Promise<CostAnalysis> {
  const { whatIf = [], pricesFile, listFile } = options;
  const prices = new Prices({
    ...(pricesFile !== undefined && { overridesFile: pricesFile }),
    ...(listFile !== undefined && { listFile }),
  });
  await prices.load();
  const total = new CostSum();
  const caching = new CacheSavingsTally(prices);
  const wasted = new WastedCostTally();
  const others = whatIf.map((rule) => new WhatIfTally(rule, prices));
  let analysed = 0;
  for await (const record of records) {
    total.add(record);
    caching.add(record);
    wasted.add(record);
    for (const other of others) other.add(record);
    if (++analysed % CALLS_A_TURN === 0) await nextTurn();
  }
  const { source } = prices;
  return {
    total: total.result(),
    caching: caching.result(),
    ...wasted.result(),
    whatIf: others.map((other) => other.result()),
    ...(source && { prices: source }),
  };
}
