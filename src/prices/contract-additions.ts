import { BILLED_KINDS, type BilledUsage } from '../domain/billed-usage.ts';
import type { ContractPrice } from './contract-price.ts';
import { isTokenKind } from './kinds.ts';
import { takeOut, type UsageLeft } from './list-units.ts';
import { type CountedPrice, sumNanoDollars } from './nano-dollars.ts';

interface ContractAdditions {
  /** The usage that is left for the list. */
  readonly rest: BilledUsage;
  readonly nanoDollars: number;
  /** Kinds that were priced. */
  readonly count: number;
}

/** Kinds that entries without token prices add to the list. The first entry that names a kind counts. */
export function contractAdditions(
  usage: BilledUsage,
  entries: readonly ContractPrice[],
  tierFactor: number,
): ContractAdditions {
  const rest: UsageLeft = { ...usage };
  const tokens: CountedPrice[] = [];
  const others: CountedPrice[] = [];
  for (const { field, within } of BILLED_KINDS) {
    const entry = entries.find(({ usdPerMillion }) => usdPerMillion.has(field));
    const price = entry?.usdPerMillion.get(field);
    const whole = within === undefined ? Infinity : (rest[within] ?? 0);
    const count = Math.min(rest[field] ?? 0, whole);
    if (price === undefined || count === 0) continue;
    (isTokenKind(field) ? tokens : others).push([count, price]);
    takeOut(rest, field, within, count);
    delete rest[field];
  }
  return {
    rest: rest as BilledUsage,
    nanoDollars: sumNanoDollars(tokens, tierFactor) + sumNanoDollars(others),
    count: tokens.length + others.length,
  };
}
