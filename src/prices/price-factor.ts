import type { PricedCall } from './priced-call.ts';
import { regionPrice } from './region-price.ts';
import { tierPrice } from './service-tier.ts';

/** Effect of tier and region on the list price of tokens. */
export interface PriceFactor {
  readonly factor: number;
  /** Names of what has no known price. */
  readonly missing: readonly string[];
}

export function priceFactor(call: PricedCall, model: string): PriceFactor {
  const tier = tierPrice(call);
  const region = regionPrice(call, model);
  return {
    factor: tier.factor * region.factor,
    missing: [tier.missing, region.missing, batchedCache(call)].filter(
      (name) => name !== undefined,
    ),
  };
}

/** Google asks the full price for cache reads in a batch: half of it is the least that is paid. */
function batchedCache({ provider, serviceTier, cacheReadTokens }: PricedCall): string | undefined {
  const isBatched = serviceTier === 'batch' && provider.startsWith('gcp.') && cacheReadTokens;
  return isBatched ? 'batch_cache_reads' : undefined;
}
