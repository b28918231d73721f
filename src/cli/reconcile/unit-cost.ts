import { usageOfQuantities } from '../../bill/quantities.ts';
import { explainPrice } from '../../prices/explain-price.ts';
import { disjointUsage, kindName, millionsOfUnit } from '../../prices/kinds.ts';
import { sumNanoDollars } from '../../prices/nano-dollars.ts';
import type { Prices } from '../../prices/prices.ts';

interface Quantities {
  readonly provider: string;
  readonly model: string;
  readonly day: string;
  readonly quantities: ReadonlyMap<string, number>;
}

/**
 * Cost in nano-dollars of the sum of many calls, at the unit prices of short ones: the size of each call is not
 * known. Undefined if a kind has no price.
 */
export function costAtUnitPrices(
  prices: Prices,
  { provider, model, day, quantities }: Quantities,
): number | undefined {
  const time = new Date(`${day.padEnd(10, '-01')}T12:00:00Z`);
  const explained = explainPrice(prices, { provider, model, time });
  if (explained === undefined) return undefined;
  const parts: [number, number][] = [];
  for (const [kind, count] of disjointUsage(usageOfQuantities(quantities))) {
    const price = explained.prices.find((known) => known.kind === kindName(kind));
    if (price === undefined) return undefined;
    parts.push([count, price.usd * millionsOfUnit(kind)]);
  }
  return sumNanoDollars(parts);
}
