import type { UsageAttributeValue } from '../domain/usage-record.ts';
import { type Adjustment, adjustmentFor } from './adjustment.ts';
import { contractPriceOf, type ContractPrice } from './contract-price.ts';
import { inUnit, kindName, PRICED_KINDS, type PricedKind } from './kinds.ts';
import { type ListUnitPrice, listPriceOf, requestFee } from './list-prices.ts';
import { scoped } from './priced-call.ts';
import type { Prices } from './prices.ts';

/** What a price is asked for. */
export interface PriceQuestion {
  readonly provider: string;
  readonly model: string;
  readonly time: Date;
  readonly attributes?: Readonly<Record<string, UsageAttributeValue>>;
}

/** The price of a kind of usage and where it comes from. */
export interface KindPrice {
  /** `web_searches`. */
  readonly kind: string;
  /** US dollars per unit, with discount and margin. */
  readonly usd: number;
  readonly unit: string;
  /** US dollars per unit before discount and margin, if there are any. */
  readonly before?: number;
  /** The kind whose price this is, if this kind has none. */
  readonly as?: string;
  /** `addition`: a price of this package, of what the list does not know. */
  readonly source: 'list' | 'contract' | 'addition';
  /** Entry of the price file: `prices[0]`. */
  readonly entry?: string;
  /** Currency of the entry and its rate, unless it is in US dollars. */
  readonly currency?: {
    readonly code: string;
    readonly usd_per_unit: number;
    readonly date?: string;
  };
  /** Prices of calls with more input tokens. */
  readonly above?: readonly { readonly input_tokens: number; readonly usd: number }[];
}

export interface PriceExplanation {
  /** Ids in the list; absent if the list does not know the model. */
  readonly listed?: { readonly provider: string; readonly model: string };
  readonly prices: readonly KindPrice[];
  /** Kinds without a price. */
  readonly missing: readonly string[];
  readonly discount?: { readonly entry: string; readonly percent: number };
  readonly margin?: { readonly entry: string; readonly percent: number };
  readonly freeTiers: readonly { readonly entry: string; readonly free: string }[];
}

/** Explains the price of a model at a time, kind by kind. `undefined` if nothing has a price. */
export function explainPrice(
  prices: Prices,
  { provider, model, time, attributes }: PriceQuestion,
): PriceExplanation | undefined {
  const call = {
    provider,
    requestModel: model,
    time: time.toISOString(),
    ...(attributes && { attributes }),
  };
  const facts = scoped(call, model);
  const entries = prices.contractsFor(call, model);
  const whole = entries.find(({ hasTokens }) => hasTokens);
  const listed = prices.list?.find(call, model);
  const { discounts, margins, freeTiers } = prices.file;
  const margin = adjustmentFor(margins, facts);
  const discount = whole === undefined ? adjustmentFor(discounts, facts) : undefined;
  const found: KindPrice[] = [];
  const missing: string[] = [];
  for (const kind of PRICED_KINDS) {
    const own = contractKind(kind, entries, whole, margin);
    const list =
      whole === undefined && listed ? listPriceOf(kind, listed.prices, provider) : undefined;
    if (own !== undefined) found.push(own);
    else if (list !== undefined) {
      const source = listed?.added.has(list.key) === true ? 'addition' : 'list';
      found.push({ ...listKind(kind, list, discount, margin), source });
    } else missing.push(kindName(kind));
  }
  const fee = whole === undefined && listed ? requestFee(listed.prices) : undefined;
  if (fee !== undefined) {
    const price = adjusted(fee / 1000, discount, margin);
    found.push({ kind: 'requests', ...price, unit: 'per thousand', source: 'list' });
  }
  if (found.length === 0) return undefined;
  return {
    ...(listed && { listed: { provider: listed.provider, model: listed.model } }),
    prices: found,
    missing,
    ...(discount && { discount: { entry: discount.where, percent: discount.percent } }),
    ...(margin && { margin: { entry: margin.where, percent: margin.percent } }),
    freeTiers: freeTiers
      .filter(({ scope }) => scope.fits(facts))
      .slice(0, 1)
      .map(({ where, limit, amount, per }) => ({
        entry: where,
        free: `${amount} ${limit.replace('T', ' t')} per ${per}`,
      })),
  };
}

function contractKind(
  kind: PricedKind,
  entries: readonly ContractPrice[],
  whole: ContractPrice | undefined,
  margin: Adjustment | undefined,
): KindPrice | undefined {
  const ordered = whole === undefined ? entries : [whole, ...entries.filter((e) => e !== whole)];
  for (const entry of ordered) {
    const price =
      entry === whole
        ? contractPriceOf(entry, kind)
        : { usdPerMillion: entry.usdPerMillion.get(kind) };
    if (price?.usdPerMillion === undefined) continue;
    const { usd, unit } = inUnit(kind, price.usdPerMillion);
    const { code, usdPerUnit, date } = entry.rate;
    return {
      kind: kindName(kind),
      ...adjusted(usd, undefined, margin),
      unit,
      ...('as' in price && price.as !== undefined && { as: kindName(price.as) }),
      source: 'contract',
      entry: entry.where,
      ...(code !== 'USD' && {
        currency: { code, usd_per_unit: usdPerUnit, ...(date !== undefined && { date }) },
      }),
    };
  }
  return undefined;
}

function listKind(
  kind: PricedKind,
  { usdPerMillion, as, tiers }: ListUnitPrice,
  discount: Adjustment | undefined,
  margin: Adjustment | undefined,
): KindPrice {
  const { usd, unit } = inUnit(kind, usdPerMillion);
  return {
    kind: kindName(kind),
    ...adjusted(usd, discount, margin),
    unit,
    ...(as !== undefined && { as: kindName(as) }),
    source: 'list',
    ...(tiers.length > 0 && {
      above: tiers.map((tier) => ({
        input_tokens: tier.above,
        usd: adjusted(inUnit(kind, tier.usdPerMillion).usd, discount, margin).usd,
      })),
    }),
  };
}

function adjusted(
  usd: number,
  discount: Adjustment | undefined,
  margin: Adjustment | undefined,
): { readonly usd: number; readonly before?: number } {
  if (discount === undefined && margin === undefined) return { usd };
  const factor = (1 - (discount?.percent ?? 0) / 100) * (1 + (margin?.percent ?? 0) / 100);
  return { usd: Number((usd * factor).toPrecision(12)), before: usd };
}
