import { billedUsageOf } from '../domain/billed-usage.ts';
import { adjustmentFor } from './adjustment.ts';
import { contractPriceOf } from './contract-price.ts';
import { disjointUsage, isTokenKind, type PricedKind } from './kinds.ts';
import { listPriceOf, priceForSize, requestFee } from './list-prices.ts';
import { priceFactor } from './price-factor.ts';
import { modelsOf, type PricedCall, scoped } from './priced-call.ts';
import type { Prices } from './prices.ts';
import { tierPrice } from './service-tier.ts';

/** A part of a call with its unit price, in US dollars per million. */
export interface PricePart {
  /** `requests` for the fee that some models have besides tokens. */
  readonly kind: PricedKind | 'requests';
  readonly count: number;
  /** With the service tier, discount and margin. */
  readonly usdPerMillion: number;
  /** Of the list, with the service tier; absent if the list has none. */
  readonly listUsdPerMillion?: number;
}

/** The parts that have a price. Undefined if the call has none. Sums may differ from `price` by roundings. */
export function priceParts(prices: Prices, call: PricedCall): readonly PricePart[] | undefined {
  const usage = disjointUsage(billedUsageOf(call));
  for (const model of modelsOf(call)) {
    const entries = prices.contractsFor(call, model);
    const listed = prices.list?.find(call, model);
    const whole = entries.find(({ hasTokens }) => hasTokens);
    if (whole === undefined && listed === undefined && entries.length === 0) continue;
    const facts = scoped(call, model);
    // A contract has its own prices of regions.
    const { factor } = whole ? tierPrice(call.serviceTier) : priceFactor(call, model);
    const margin = 1 + (adjustmentFor(prices.file.margins, facts)?.percent ?? 0) / 100;
    const discount = 1 - (adjustmentFor(prices.file.discounts, facts)?.percent ?? 0) / 100;
    const ordered = whole === undefined ? entries : [whole, ...entries];
    const parts: PricePart[] = [];
    for (const [kind, count] of usage) {
      const tier = isTokenKind(kind) ? factor : 1;
      const list = listed && listPriceOf(kind, listed.prices, call.provider);
      const listPrice = list && priceForSize(list, call.inputTokens ?? 0) * tier;
      const own = ordered
        .map((entry) =>
          entry === whole
            ? contractPriceOf(entry, kind)?.usdPerMillion
            : entry.usdPerMillion.get(kind),
        )
        .find((price) => price !== undefined);
      const ofList =
        whole === undefined && listPrice !== undefined ? listPrice * discount : undefined;
      const price = own === undefined ? ofList : own * tier;
      if (price === undefined) continue;
      parts.push({
        kind,
        count,
        usdPerMillion: price * margin,
        ...(listPrice !== undefined && { listUsdPerMillion: listPrice }),
      });
    }
    const fee = whole === undefined && listed ? requestFee(listed.prices) : undefined;
    if (fee !== undefined) {
      const list = fee * factor;
      const price = list * discount * margin;
      parts.push({ kind: 'requests', count: 1, usdPerMillion: price, listUsdPerMillion: list });
    }
    if (parts.length > 0) return parts;
  }
  return undefined;
}
