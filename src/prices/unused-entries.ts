import { type ContractPrice, contractPriceOf } from './contract-price.ts';
import { recordedProviders } from './provider-ids.ts';
import type { Scope } from './scope.ts';

interface Entry {
  /** `discounts[0]`. */
  readonly where: string;
  readonly scope: Scope;
}

/** The lists of a price file. */
interface Entries {
  readonly prices: readonly ContractPrice[];
  readonly discounts: readonly Entry[];
  readonly margins: readonly Entry[];
  readonly freeTiers: readonly Entry[];
}

/** Entries that are valid and can never apply all the same: one sentence for each. */
export function unusedEntries(entries: Entries): readonly string[] {
  const { prices, discounts, margins, freeTiers } = entries;
  return [
    ...prices.flatMap((entry, index) => pricedBefore(entry, index, prices)),
    ...discounts.flatMap((entry) => underContract(entry, prices)),
    ...[discounts, margins, freeTiers].flatMap((list) =>
      list.flatMap((entry, index) =>
        unused(
          entry,
          list.slice(0, index).find(({ scope }) => scope.covers(entry.scope)),
          'comes first for all its calls',
        ),
      ),
    ),
    ...[prices, discounts, margins, freeTiers].flat().flatMap(otherName),
  ];
}

/** Every kind has the price of another entry, which is asked first: with token prices, or the earlier one. */
function pricedBefore(
  entry: ContractPrice,
  index: number,
  prices: readonly ContractPrice[],
): readonly string[] {
  const before = prices.filter((other, place) =>
    entry.hasTokens === other.hasTokens ? place < index : other.hasTokens,
  );
  const other = before.find(
    (each) =>
      each.scope.covers(entry.scope) &&
      [...entry.usdPerMillion.keys()].every((kind) => contractPriceOf(each, kind) !== undefined),
  );
  return unused(entry, other, 'prices all its kinds for all its calls and comes first');
}

/** Contract prices have no discount. */
function underContract(entry: Entry, prices: readonly ContractPrice[]): readonly string[] {
  const contract = prices.find(({ hasTokens, scope }) => hasTokens && scope.covers(entry.scope));
  return unused(entry, contract, 'has contract prices for all its calls, which have no discount');
}

function unused(entry: Entry, other: Entry | undefined, why: string): readonly string[] {
  return other === undefined ? [] : [`${entry.where} never applies: ${other.where} ${why}`];
}

function otherName({ where, scope: { provider = '' } }: Entry): readonly string[] {
  const names = recordedProviders(provider).join(' or ');
  return names === ''
    ? []
    : [`${where}.provider is ${provider}, a provider that records have as ${names}`];
}
