import { isTokenKind, parentOf, type PricedKind } from './kinds.ts';
import { listKeysOf, millionsOf, usesParentPrice } from './list-units.ts';

/** Prices of one model at one time, as the list has them: by price key, perhaps with tiers. */
export type ModelPrices = Readonly<Record<string, unknown>>;

/** A price of the list, in US dollars per million counts. */
export interface ListUnitPrice {
  readonly usdPerMillion: number;
  /** Key of the price. */
  readonly key: string;
  /** The kind whose price applies, since this one has none. */
  readonly as?: PricedKind;
  /** Prices of calls with more input tokens than this. */
  readonly tiers: readonly { readonly above: number; readonly usdPerMillion: number }[];
}

const BASE_KEYS: Partial<Record<PricedKind, readonly string[]>> = {
  inputTokens: ['input_mtok'],
  outputTokens: ['output_mtok'],
  cacheReadTokens: ['cache_read_mtok'],
  cacheWriteTokens: ['cache_write_mtok'],
  reasoningTokens: ['output_reasoning_mtok'],
};

/** `undefined` if the list has no price for this kind of this model. */
export function listPriceOf(
  kind: PricedKind,
  prices: ModelPrices,
  provider: string,
): ListUnitPrice | undefined {
  const keys = BASE_KEYS[kind] ?? listKeysOf(kind);
  const key = keys.find((name) => prices[name] !== undefined);
  if (key !== undefined) return unitPrice(prices[key], key);
  const parent = parentOf(kind);
  if (parent === undefined || !isTokenKind(kind)) return undefined;
  if (!usesParentPrice(kind, provider)) return undefined;
  const price = listPriceOf(parent, prices, provider);
  return price && { ...price, as: price.as ?? parent };
}

/** The price of the call's size. */
export function priceForSize({ usdPerMillion, tiers }: ListUnitPrice, inputTokens: number): number {
  return tiers.findLast(({ above }) => inputTokens > above)?.usdPerMillion ?? usdPerMillion;
}

/** Prices of a call of this size, without tiers. `undefined` if there are no tiers. */
export function pricesForSize(prices: ModelPrices, inputTokens: number): ModelPrices | undefined {
  const tiered = Object.entries(prices).filter(([, price]) => typeof price === 'object');
  if (tiered.length === 0) return undefined;
  const flat = tiered.map(([key, price]) => {
    const { base, tiers } = price as TieredPrice;
    const sorted = tiers.toSorted((a, b) => a.start - b.start);
    return [key, sorted.findLast(({ start }) => inputTokens > start)?.price ?? base];
  });
  return { ...prices, ...(Object.fromEntries(flat) as ModelPrices) };
}

interface TieredPrice {
  readonly base: number;
  readonly tiers: readonly { readonly start: number; readonly price: number }[];
}

/** Fee of a request in US dollars per million requests, which some models have besides tokens. */
export function requestFee(prices: ModelPrices): number | undefined {
  const fee = prices['requests_kcount'];
  return typeof fee === 'number' ? fee * 1000 : undefined;
}

function unitPrice(value: unknown, key: string): ListUnitPrice | undefined {
  const factor = millionsOf(key);
  if (typeof value === 'number') return { usdPerMillion: value * factor, key, tiers: [] };
  const { base, tiers } = value as TieredPrice;
  return {
    usdPerMillion: base * factor,
    key,
    tiers: tiers
      .map(({ start, price }) => ({ above: start, usdPerMillion: price * factor }))
      .sort((a, b) => a.above - b.above),
  };
}
