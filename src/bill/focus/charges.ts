import { hasUsage } from '../../domain/billed-usage.ts';
import type { UsageRecord } from '../../domain/usage-record.ts';
import { kindName } from '../../prices/kinds.ts';
import { type PricePart, priceParts } from '../../prices/price-parts.ts';
import type { Prices } from '../../prices/prices.ts';

/** What a row of a FOCUS file stands for: all usage of a day with the same price. */
export interface Charge {
  readonly day: string;
  readonly provider: string;
  readonly service: string;
  readonly model: string;
  readonly tier: string | undefined;
  readonly costSource: string;
  readonly tags: Readonly<Record<string, string>>;
  /** Name of the kind of usage, or `requests`. */
  readonly meter: string;
  quantity: number;
  /** US dollars per million; undefined where only the cost is known. */
  readonly unitPrice: number | undefined;
  readonly listUnitPrice: number | undefined;
  /** Nano-dollars. All rows together are the sum of the ledger. */
  cost: number;
}

export interface FocusTotals {
  readonly calls: number;
  /** Calls without a cost, which cannot be charges. */
  readonly unpricedCalls: number;
  readonly partialCostCalls: number;
}

/** Sums recorded calls up to charges. */
export class Charges {
  readonly #prices: Prices;
  readonly #tags: readonly string[];
  readonly #charges = new Map<string, Charge>();
  readonly #totals = { calls: 0, unpricedCalls: 0, partialCostCalls: 0 };

  /** @param tags `team`, dimensions (`dimension.feature`) and attributes of the records that become tags */
  constructor(prices: Prices, tags: readonly string[]) {
    this.#prices = prices;
    this.#tags = tags;
  }

  get totals(): FocusTotals {
    return this.#totals;
  }

  add(record: UsageRecord): void {
    this.#totals.calls += 1;
    if (record.costUsd === undefined) {
      if (hasUsage(record)) this.#totals.unpricedCalls += 1;
      return;
    }
    if (record.costMissing !== undefined) this.#totals.partialCostCalls += 1;
    const nano = Math.round(record.costUsd * 1e9);
    const parts = partsOf(this.#prices, record, nano);
    if (parts === undefined) {
      this.#put(record, { meter: 'requests', quantity: 1, cost: nano });
      return;
    }
    for (const { part, cost } of parts) {
      const { kind, count, usdPerMillion, listUsdPerMillion } = part;
      this.#put(record, {
        meter: kind === 'requests' ? kind : kindName(kind),
        quantity: count,
        unitPrice: usdPerMillion,
        listUnitPrice: listUsdPerMillion,
        cost,
      });
    }
  }

  /** In the order of day, provider, model and meter. */
  sorted(): readonly Charge[] {
    return [...this.#charges].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, charge]) => charge);
  }

  #put(
    record: UsageRecord,
    use: Pick<Charge, 'meter' | 'quantity' | 'cost'> &
      Partial<Pick<Charge, 'unitPrice' | 'listUnitPrice'>>,
  ): void {
    const { provider, service, serviceTier: tier, costSource = 'list' } = record;
    const tags = this.#tagsOf(record);
    const charge = {
      day: record.time.slice(0, 10),
      provider,
      model: record.responseModel ?? record.requestModel,
      meter: use.meter,
      service,
      tier,
      costSource,
      tags,
      unitPrice: use.unitPrice,
      listUnitPrice: use.listUnitPrice,
    };
    const key = JSON.stringify(Object.values(charge).map((value) => value ?? null));
    const known = this.#charges.get(key);
    if (known === undefined) {
      this.#charges.set(key, { ...charge, quantity: use.quantity, cost: use.cost });
      return;
    }
    known.quantity += use.quantity;
    known.cost += use.cost;
  }

  #tagsOf(record: UsageRecord): Readonly<Record<string, string>> {
    return Object.fromEntries(
      this.#tags.flatMap((name) => {
        const value = tagOf(record, name);
        return value === undefined ? [] : [[name, String(value)]];
      }),
    );
  }
}

function tagOf({ team, dimensions, attributes }: UsageRecord, name: string) {
  if (name === 'team' && team !== undefined) return team;
  const [, dimension = ''] = /^dimension\.(\w+)$/.exec(name) ?? [];
  return dimensions?.[dimension] ?? attributes[name];
}

/**
 * The parts of a call with their share of its recorded cost; undefined if the prices of today do not make this
 * cost: it was reported by the reply, a free tier applied, or prices have changed.
 */
function partsOf(
  prices: Prices,
  record: UsageRecord,
  nano: number,
): readonly { readonly part: PricePart; readonly cost: number }[] | undefined {
  if (record.costSource === 'provider') return undefined;
  const parts = priceParts(prices, record);
  if (parts === undefined) return undefined;
  const costs = parts.map(({ count, usdPerMillion }) => Math.round(count * usdPerMillion * 1000));
  const rest = nano - costs.reduce((sum, cost) => sum + cost, 0);
  if (Math.abs(rest) > parts.length + 1) return undefined;
  // What rounding leaves belongs to the largest part.
  const largest = costs.indexOf(Math.max(...costs));
  return parts.map((part, index) => ({
    part,
    cost: (costs[index] ?? 0) + (index === largest ? rest : 0),
  }));
}
