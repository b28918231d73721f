import { billedUsageOf, type BilledUsage } from '../domain/billed-usage.ts';
import { TokenMeterError } from '../errors.ts';
import { adjustmentFor, type Adjustment } from './adjustment.ts';
import { advisedCall, costWithAdvice } from './advised-call.ts';
import { chooseList } from './choose-list.ts';
import { contractAdditions } from './contract-additions.ts';
import { byContract, type ContractPrice } from './contract-price.ts';
import type { CurrencyRate } from './currency.ts';
import { disjointUsage, kindName } from './kinds.ts';
import { NANO_DOLLARS } from './nano-dollars.ts';
import { NO_PRICE_FILE, type PriceFile, readPriceFile } from './price-file.ts';
import type { PriceList } from './price-list.ts';
import {
  type CallCost,
  isPriceable,
  modelsOf,
  type PricedCall,
  type PricedParts,
  scoped,
} from './priced-call.ts';
import { tierPrice } from './service-tier.ts';

export interface PriceSource {
  /** For example `genai-prices 0.1.8`. */
  readonly name: string;
  /** Publication date of the prices, or of their download, when known. */
  readonly date?: string;
  /** File of a downloaded list. */
  readonly file?: string;
  /** `date` of the price file, or its path. */
  readonly overrides?: string;
  /** Why a downloaded list, or a newer one, is not in use. */
  readonly problem?: string;
  /** Currency of display, unless it is the US dollar. */
  readonly currency?: CurrencyRate;
}

export interface PricesOptions {
  /** JSON file with contract prices and currencies; see `PriceOverrides`. */
  readonly overridesFile?: string;
  /** A downloaded list, which is used if it exists and is newer than the installed one. */
  readonly listFile?: string;
  /** Called once per provider and model without a price. */
  readonly onUnknown?: (provider: string, model: string) => void;
}

interface SourcedParts extends PricedParts {
  readonly source: 'list' | 'contract';
  /** The model whose price applies. */
  readonly model: string;
}

/** Bounds the list of unknown models: callers may send any number of names. */
const MAX_UNKNOWN = 1000;

/**
 * Contract prices first, then list prices (no network, no timers). The list is a megabyte (about 30 ms
 * and 20 MB) and is loaded by `load()`, not on import.
 */
export class Prices {
  readonly #options: PricesOptions;
  readonly #unknown = new Map<string, { readonly provider: string; readonly model: string }>();
  #list: PriceList | undefined;
  #file: PriceFile = NO_PRICE_FILE;
  #source: PriceSource | undefined;
  #loading: Promise<void> | undefined;

  constructor(options: PricesOptions = {}) {
    this.#options = options;
  }

  /**
   * Loads the prices once. Until then `costOf` returns `undefined`. Rejects with `INVALID_CONFIG`
   * when the price file is unreadable or invalid; list prices are in effect even then.
   */
  load(): Promise<void> {
    this.#loading ??= this.#load();
    return this.#loading;
  }

  async #load(): Promise<void> {
    await this.reloadList();
    const path = this.#options.overridesFile;
    if (path === undefined) return;
    this.#file = await readPriceFile(path);
    if (this.#source !== undefined) this.#source = { ...this.#source, overrides: this.#file.name };
  }

  /** Reads the downloaded list again. Calls are priced by the previous one until it is complete. */
  async reloadList(): Promise<void> {
    const { list, ...source } = await chooseList(this.#options.listFile);
    this.#list = list;
    const overrides = this.#file === NO_PRICE_FILE ? undefined : this.#file.name;
    this.#source = { ...source, ...(overrides !== undefined && { overrides }) };
  }

  /** Source of the prices; `undefined` before `load()`. */
  get source(): PriceSource | undefined {
    return this.#source;
  }

  get list(): PriceList | undefined {
    return this.#list;
  }

  get file(): PriceFile {
    return this.#file;
  }

  /** Rate of a currency for display. Throws `INVALID_CONFIG` if the price file has none. */
  rateOf(code: string): CurrencyRate {
    const rate = this.#file.rates.get(code);
    if (rate !== undefined) return rate;
    const allowed = [...this.#file.rates.keys()].join(', ');
    throw new TokenMeterError(
      'INVALID_CONFIG',
      `prices: the currency ${code} has no rate in usdPer of the price file`,
      { value: code, allowed },
    );
  }

  /** Providers and models of calls without a price (the first 1000). */
  get unknown(): readonly { readonly provider: string; readonly model: string }[] {
    return [...this.#unknown.values()];
  }

  /** Known part of the cost in US dollars; see `price`. */
  costOf(call: PricedCall): number | undefined {
    return this.price(call)?.costUsd;
  }

  /**
   * Cost of a call, rounded to whole nano-dollars. `undefined` when the price or a required count
   * is unknown. Never throws.
   */
  price(call: PricedCall): CallCost | undefined {
    if (this.#list === undefined) return undefined;
    const advised = advisedCall(call);
    if (advised !== undefined) return costWithAdvice(advised, (part) => this.price(part));
    const usage = billedUsageOf(call);
    if (!isPriceable(call, usage)) return undefined;
    try {
      const priced = this.#priced(call, usage);
      const nano = priced?.nanoDollars;
      if (priced !== undefined && nano !== undefined && Number.isSafeInteger(nano) && nano >= 0) {
        const { missing } = priced;
        return {
          costUsd: nano / NANO_DOLLARS,
          costSource: call.tokenSource === 'estimated' ? 'estimated' : priced.source,
          ...(missing.length > 0 && { costMissing: missing }),
        };
      }
    } catch {
      // The list throws for usage that it cannot price.
      return undefined;
    }
    this.#noteUnknown(call.provider, call.responseModel ?? call.requestModel);
    return undefined;
  }

  #priced(call: PricedCall, usage: BilledUsage): SourcedParts | undefined {
    const models = modelsOf(call);
    for (const model of models) {
      const entries = this.contractsFor(call, model);
      const whole = entries.find(({ hasTokens }) => hasTokens);
      if (whole !== undefined) {
        const own = this.#byContract(call, usage, whole, entries);
        return this.#withMargin(call, { ...own, source: 'contract', model });
      }
    }
    for (const model of models) {
      const listed = this.#byList(call, usage, model);
      if (listed !== undefined) return this.#withMargin(call, listed);
    }
    return undefined;
  }

  /** Entries of the price file that fit a call, the first one first. */
  contractsFor(call: PricedCall, model: string): readonly ContractPrice[] {
    const { prices } = this.#file;
    if (prices.length === 0) return prices;
    const facts = scoped(call, model);
    return prices.filter(({ scope }) => scope.fits(facts));
  }

  #byContract(
    call: PricedCall,
    usage: BilledUsage,
    whole: ContractPrice,
    entries: readonly ContractPrice[],
  ): PricedParts {
    const tier = tierPrice(call);
    const others = entries.filter((entry) => entry !== whole);
    const { nanoDollars, missing } = byContract(usage, whole, others, {
      tierFactor: tier.factor,
      operation: call.operation,
    });
    const ofTier = tier.missing === undefined ? [] : [tier.missing];
    return { nanoDollars, missing: [...missing.map(kindName), ...ofTier] };
  }

  /** List price with its discount, and the prices that entries without token prices add to it. */
  #byList(call: PricedCall, usage: BilledUsage, model: string): SourcedParts | undefined {
    const entries = this.contractsFor(call, model);
    const { factor } = tierPrice(call);
    const added = entries.length === 0 ? undefined : contractAdditions(usage, entries, factor);
    const listed = this.#list?.price(call, added?.rest ?? usage, model);
    if (listed === undefined) {
      if (added === undefined || added.count === 0) return undefined;
      const missing = [...disjointUsage(added.rest).keys()].map(kindName);
      return { nanoDollars: added.nanoDollars, missing, source: 'contract', model };
    }
    const discount = adjustmentOf(this.#file.discounts, call, model);
    let nano = listed.nanoDollars;
    if (nano !== undefined && discount !== undefined) nano = percentOff(nano, discount.percent);
    if (added !== undefined && added.count > 0) nano = (nano ?? 0) + added.nanoDollars;
    const isOwn = discount !== undefined || (added?.count ?? 0) > 0;
    return {
      nanoDollars: nano,
      missing: listed.missing,
      source: isOwn ? 'contract' : 'list',
      model,
    };
  }

  #withMargin(call: PricedCall, parts: SourcedParts): SourcedParts {
    const margin = adjustmentOf(this.#file.margins, call, parts.model);
    if (margin === undefined || parts.nanoDollars === undefined) return parts;
    const nanoDollars = percentOff(parts.nanoDollars, -margin.percent);
    return { ...parts, nanoDollars, source: 'contract' };
  }

  #noteUnknown(provider: string, model: string): void {
    const key = JSON.stringify([provider, model]);
    if (this.#unknown.size >= MAX_UNKNOWN || this.#unknown.has(key)) return;
    this.#unknown.set(key, { provider, model });
    this.#options.onUnknown?.(provider, model);
  }
}

function percentOff(nano: number, percent: number): number {
  return Math.round(nano * (1 - percent / 100));
}

function adjustmentOf(
  adjustments: readonly Adjustment[],
  call: PricedCall,
  model: string,
): Adjustment | undefined {
  return adjustments.length === 0 ? undefined : adjustmentFor(adjustments, scoped(call, model));
}
