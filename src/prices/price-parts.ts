import { billedUsageOf } from '../domain/billed-usage.ts';
import { adjustmentFor } from './adjustment.ts';
import { contractPriceOf, type ContractPrice } from './contract-price.ts';
import { disjointUsage, isTokenKind, type PricedKind } from './kinds.ts';
import { listPriceOf, priceForSize, requestFee } from './list-prices.ts';
import { isInOutput } from './list-units.ts';
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
  for (const model of modelsOf(call)) {
    const parts = partsOf(prices, call, model);
    if (parts.length > 0) return parts;
  }
  return undefined;
}

function partsOf(prices: Prices, call: PricedCall, model: string): readonly PricePart[] {
  const entries = prices.contractsFor(call, model);
  const listed = prices.list?.find(call, model);
  const whole = entries.find(({ hasTokens }) => hasTokens);
  const facts = scoped(call, model);
  // A contract has its own prices of regions.
  const { factor } = whole ? tierPrice(call) : priceFactor(call, model);
  const margin = 1 + (adjustmentFor(prices.file.margins, facts)?.percent ?? 0) / 100;
  const discount = 1 - (adjustmentFor(prices.file.discounts, facts)?.percent ?? 0) / 100;
  const priceOf = (kind: PricedKind): { own?: number; list?: number } => {
    const tier = isTokenKind(kind) ? factor : 1;
    const own = ownPrice(kind, entries, whole);
    const unit = listed && listPriceOf(kind, listed.prices, call.provider);
    return {
      ...(own !== undefined && { own: own * tier }),
      ...(unit && { list: priceForSize(unit, call.inputTokens ?? 0) * tier }),
    };
  };
  const usage = billedUsageOf(call);
  const parts: PricePart[] = [];
  for (const [kind, count] of disjointUsage(usage)) {
    let { own, list } = priceOf(kind);
    const isOutput =
      own === undefined && list === undefined && isInOutput(kind, usage, call.operation);
    if (isOutput && isTokenKind(kind)) ({ own, list } = priceOf('outputTokens'));
    const ofList = whole === undefined && list !== undefined ? list * discount : undefined;
    const price = own ?? ofList;
    if (price === undefined) continue;
    parts.push({
      kind,
      count,
      usdPerMillion: price * margin,
      ...(list !== undefined && { listUsdPerMillion: list }),
    });
  }
  const fee = whole === undefined && listed ? requestFee(listed.prices) : undefined;
  if (fee !== undefined) {
    const list = fee * factor;
    const price = list * discount * margin;
    parts.push({ kind: 'requests', count: 1, usdPerMillion: price, listUsdPerMillion: list });
  }
  return parts;
}

/** Of the first entry that prices the kind, one with token prices before the others. */
function ownPrice(
  kind: PricedKind,
  entries: readonly ContractPrice[],
  whole: ContractPrice | undefined,
): number | undefined {
  const ofWhole = whole && contractPriceOf(whole, kind)?.usdPerMillion;
  if (ofWhole !== undefined) return ofWhole;
  return entries.find(({ usdPerMillion }) => usdPerMillion.has(kind))?.usdPerMillion.get(kind);
}
