import { type BilledField, BILLED_KINDS } from '../domain/billed-usage.ts';
import type { UsageRecord } from '../domain/usage-record.ts';
import { nanosOf } from './cost-sum.ts';
import { NANO_DOLLARS } from './nano-dollars.ts';
import type { PricedCall } from './priced-call.ts';
import type { Prices } from './prices.ts';

/** What a provider's prompt cache saved, by the prices of the list or the contract. */
export interface CacheSaving {
  /** Calls that read from a cache or wrote to it. */
  readonly calls: number;
  /** Those whose saving is not known, as their prices are not: they are in none of the sums. */
  readonly unknownCalls: number;
  /** Difference between the input price of what was read and its cache price. */
  readonly readSavedUsd: number;
  /** What writing cost beyond the input price. */
  readonly writePremiumUsd: number;
  /** Saved less premium. Negative where writing cost more than reading saved. */
  readonly savedUsd: number;
}

export interface CacheSavings extends CacheSaving {
  /** The largest savings first. */
  readonly byModel: readonly (CacheSaving & { readonly model: string })[];
  /** `null` stands for calls without a user. */
  readonly byUser: readonly (CacheSaving & { readonly user: string | null })[];
}

const LISTED = 20;
const CACHE_ATTRIBUTES = new Set(
  BILLED_KINDS.filter(({ field }) => isOfCache(field)).map(({ attribute }) => attribute),
);
const WRITE_ATTRIBUTES = new Set(
  BILLED_KINDS.filter(({ field }) => field === 'cacheWrite1hTokens').map(
    ({ attribute }) => attribute,
  ),
);

function isOfCache(field: BilledField): boolean {
  return field.includes('CacheRead') || field.startsWith('cacheWrite');
}

export class CacheSavingsTally {
  readonly #prices: Prices;
  readonly #total = new Saving();
  readonly #byModel = new Map<string, Saving>();
  readonly #byUser = new Map<string | null, Saving>();

  constructor(prices: Prices) {
    this.#prices = prices;
  }

  add(record: UsageRecord): void {
    if (!record.cacheReadTokens && !record.cacheWriteTokens) return;
    const saved = this.#savedBy(record);
    this.#total.add(saved);
    savingOf(this.#byModel, record.requestModel).add(saved);
    savingOf(this.#byUser, record.userId ?? null).add(saved);
  }

  result(): CacheSavings {
    return {
      ...this.#total.result(),
      byModel: largest(this.#byModel).map(([model, saving]) => ({ model, ...saving })),
      byUser: largest(this.#byUser).map(([user, saving]) => ({ user, ...saving })),
    };
  }

  /** Undefined unless all parts that the cache changes have a price, with and without it. */
  #savedBy(record: UsageRecord): Saved | undefined {
    const asPaid = this.#prices.price(record);
    const onlyReads = this.#prices.price(
      without(record, WRITE_ATTRIBUTES, { cacheWriteTokens: 0 }),
    );
    const uncached = this.#prices.price(
      without(record, CACHE_ATTRIBUTES, { cacheReadTokens: 0, cacheWriteTokens: 0 }),
    );
    if (asPaid === undefined || onlyReads === undefined || uncached === undefined) return undefined;
    const missing = String(uncached.costMissing);
    if (String(asPaid.costMissing) !== missing || String(onlyReads.costMissing) !== missing) {
      return undefined;
    }
    return {
      read: nanosOf(uncached.costUsd) - nanosOf(onlyReads.costUsd),
      premium: nanosOf(asPaid.costUsd) - nanosOf(onlyReads.costUsd),
    };
  }
}

/** Nano-dollars. */
interface Saved {
  readonly read: number;
  readonly premium: number;
}

class Saving {
  #calls = 0;
  #unknown = 0;
  #read = 0;
  #premium = 0;

  add(saved: Saved | undefined): void {
    this.#calls += 1;
    if (saved === undefined) this.#unknown += 1;
    this.#read += saved?.read ?? 0;
    this.#premium += saved?.premium ?? 0;
  }

  result(): CacheSaving {
    return {
      calls: this.#calls,
      unknownCalls: this.#unknown,
      readSavedUsd: this.#read / NANO_DOLLARS,
      writePremiumUsd: this.#premium / NANO_DOLLARS,
      savedUsd: (this.#read - this.#premium) / NANO_DOLLARS,
    };
  }
}

function savingOf<Key>(savings: Map<Key, Saving>, key: Key): Saving {
  let saving = savings.get(key);
  if (saving === undefined) savings.set(key, (saving = new Saving()));
  return saving;
}

function largest<Key>(savings: Map<Key, Saving>): (readonly [Key, CacheSaving])[] {
  return [...savings]
    .map(([key, saving]) => [key, saving.result()] as const)
    .toSorted(([, a], [, b]) => b.savedUsd - a.savedUsd)
    .slice(0, LISTED);
}

/** The call as it would have been with other cache counts. */
function without(
  record: UsageRecord,
  attributes: ReadonlySet<string>,
  counts: Pick<PricedCall, 'cacheReadTokens' | 'cacheWriteTokens'>,
): PricedCall {
  const kept = Object.entries(record.attributes).filter(([name]) => !attributes.has(name));
  return { ...record, ...counts, attributes: Object.fromEntries(kept) };
}
