import type { BilledUsage } from '../domain/billed-usage.ts';
import { type CurrencyRate, rateOf } from './currency.ts';
import { fileProblem, onlyMembers } from './file-problem.ts';
import {
  disjointUsage,
  isTokenKind,
  KINDS_IN_FILE,
  parentOf,
  PRICE_MEMBERS,
  type PricedKind,
  type PriceMember,
} from './kinds.ts';
import { hidesImages, isInOutput, usesParentPrice } from './list-units.ts';
import { type CountedPrice, sumNanoDollars } from './nano-dollars.ts';
import { parseScope, type Scope, SCOPE_MEMBERS } from './scope.ts';

/** An entry of `prices` in the price file, in US dollars. */
export interface ContractPrice {
  /** `prices[0]`. */
  readonly where: string;
  readonly scope: Scope;
  readonly rate: CurrencyRate;
  /** An entry with token prices is the whole price of a call, one without them adds to the list. */
  readonly hasTokens: boolean;
  /** US dollars per million counts. */
  readonly usdPerMillion: ReadonlyMap<PricedKind, number>;
}

const BASE = ['input', 'output', 'cacheRead', 'cacheWrite', 'reasoning'];
const MEMBERS = Object.keys(PRICE_MEMBERS) as PriceMember[];

export function parseContractPrice(
  entry: Readonly<Record<string, unknown>>,
  where: string,
  rates: ReadonlyMap<string, CurrencyRate>,
): ContractPrice {
  const scope = parseScope(entry, where, { needsModel: true });
  const rate = rateOf(rates, entry['currency'], `${where}.currency`);
  if (MEMBERS.every((member) => entry[member] === undefined)) {
    fileProblem(`${where}.perMillionTokens`, undefined, 'an object with input and output');
  }
  onlyMembers(entry, where, [...SCOPE_MEMBERS, 'currency', ...MEMBERS]);
  const usdPerMillion = new Map<PricedKind, number>();
  for (const member of MEMBERS) {
    for (const [kind, price] of pricesOf(entry[member], `${where}.${member}`, member)) {
      usdPerMillion.set(kind, price * PRICE_MEMBERS[member].amount * rate.usdPerUnit);
    }
  }
  return { where, scope, rate, hasTokens: usdPerMillion.has('inputTokens'), usdPerMillion };
}

function pricesOf(
  value: unknown,
  where: string,
  member: PriceMember,
): readonly (readonly [PricedKind, number])[] {
  if (value === undefined) return [];
  const kinds = [...KINDS_IN_FILE].filter(([, kind]) => kind.member === member);
  const keys = kinds.map(([, { key }]) => key);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return fileProblem(where, value, `an object with ${keys.join()}`);
  }
  const given = value as Readonly<Record<string, unknown>>;
  onlyMembers(given, where, keys);
  if (Object.keys(given).length === 0) fileProblem(where, value, `an object with ${keys.join()}`);
  // Kinds that every list has are priced together with input and output, or not at all.
  const needsBase = member === 'perMillionTokens' && BASE.some((key) => given[key] !== undefined);
  return kinds.flatMap(([kind, { key }]) => {
    const price = given[key];
    const isNeeded = needsBase && (key === 'input' || key === 'output');
    if (price === undefined && !isNeeded) return [];
    if (typeof price !== 'number' || !Number.isFinite(price) || price < 0) {
      const { unit } = PRICE_MEMBERS[member];
      return fileProblem(`${where}.${key}`, price, `a number of at least 0 (${unit})`);
    }
    return [[kind, price] as const];
  });
}

/**
 * The price of a kind: its own, or, in an entry with token prices, that of the kind that includes it. Audio
 * and long-lived cache entries never have the price of text.
 */
export function contractPriceOf(
  { hasTokens, usdPerMillion }: ContractPrice,
  kind: PricedKind,
): { readonly usdPerMillion: number; readonly as?: PricedKind } | undefined {
  const own = usdPerMillion.get(kind);
  if (own !== undefined) return { usdPerMillion: own };
  if (!hasTokens || !isTokenKind(kind)) return undefined;
  if (!usesParentPrice(kind)) return undefined;
  for (let parent = parentOf(kind); parent !== undefined; parent = parentOf(parent)) {
    const price = usdPerMillion.get(parent);
    if (price !== undefined) return { usdPerMillion: price, as: parent };
  }
  return undefined;
}

/** Cost of a call by an entry with token prices. `others` price what the entry does not. */
export function byContract(
  usage: BilledUsage,
  entry: ContractPrice,
  others: readonly ContractPrice[],
  {
    tierFactor,
    operation,
  }: { readonly tierFactor: number; readonly operation?: string | undefined },
): { readonly nanoDollars: number | undefined; readonly missing: readonly PricedKind[] } {
  const tokens: CountedPrice[] = [];
  const rest: CountedPrice[] = [];
  const missing: PricedKind[] = [];
  for (const [kind, count] of disjointUsage(usage)) {
    const price =
      contractPriceOf(entry, kind)?.usdPerMillion ??
      others.map((other) => other.usdPerMillion.get(kind)).find((other) => other !== undefined);
    if (price === undefined && isInOutput(kind, usage, operation)) {
      const output = entry.usdPerMillion.get('outputTokens') ?? 0;
      if (kind === 'imageOutputTokens') tokens.push([count, output]);
    } else if (price === undefined) missing.push(kind);
    else (isTokenKind(kind) ? tokens : rest).push([count, price]);
  }
  if (entry.usdPerMillion.has('imageOutputTokens') && hidesImages(usage, operation)) {
    missing.push('imageOutputTokens');
  }
  const isUnknown = tokens.length + rest.length === 0 && missing.length > 0;
  const nanoDollars = sumNanoDollars(tokens, tierFactor) + sumNanoDollars(rest);
  return { nanoDollars: isUnknown ? undefined : nanoDollars, missing };
}
