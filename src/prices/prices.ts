import { readFile } from 'node:fs/promises';
import { TokenMeterError } from '../errors.ts';
import { NANO_DOLLARS, nanoDollars } from './nano-dollars.ts';
import { BILLED_KINDS, billedUsageOf, type BilledUsage } from '../domain/billed-usage.ts';
import type { CostSource } from '../domain/usage-record.ts';
import { kindName } from './list-units.ts';
import { PriceList } from './price-list.ts';
import type { PricedCall, PricedParts } from './priced-call.ts';
import { tierPrice } from './service-tier.ts';
import { type OverrideMatcher, parseOverrides } from './price-overrides.ts';

export interface PriceSource {
  /** For example `genai-prices 0.1.8`. */
  readonly name: string;
  /** Publication date of the prices, when known. */
  readonly date?: string;
  /** `date` of the price file, or its path. */
  readonly overrides?: string;
}

export interface PricesOptions {
  /** JSON file with contract prices and currencies; see `PriceOverrides`. */
  readonly overridesFile?: string;
  /** Called once per provider and model without a price. */
  readonly onUnknown?: (provider: string, model: string) => void;
}

/** Cost of a call and its source. */
export interface CallCost {
  /** Sum of the parts with a known price. */
  readonly costUsd: number;
  readonly costSource: CostSource;
  /** Billed parts without a price. If present, `costUsd` is a lower bound. */
  readonly costMissing?: readonly string[];
}

interface SourcedParts extends PricedParts {
  readonly source: 'list' | 'contract';
}

/** Bounds the list of unknown models: callers may send any number of names. */
const MAX_UNKNOWN = 1000;

/**
 * Contract prices first, then list prices from the bundled `@pydantic/genai-prices` (no network, no
 * timers). The list is a megabyte (about 30 ms and 20 MB) and is loaded by `load()`, not on import.
 */
export class Prices {
  readonly #options: PricesOptions;
  readonly #unknown = new Map<string, { readonly provider: string; readonly model: string }>();
  #list: PriceList | undefined;
  #overrides: readonly OverrideMatcher[] = [];
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
    const list = await PriceList.load();
    const { name, date } = list;
    this.#list = list;
    this.#source = { name, ...(date !== undefined && { date }) };
    const path = this.#options.overridesFile;
    if (path === undefined) return;
    let content: unknown;
    try {
      content = JSON.parse(await readFile(path, 'utf8'));
    } catch (cause) {
      throw new TokenMeterError('INVALID_CONFIG', `prices: cannot read ${path} as JSON`, {
        value: path,
        allowed: 'a readable JSON file',
        cause,
      });
    }
    this.#overrides = parseOverrides(content);
    const named = (content as { date?: unknown }).date;
    this.#source = { ...this.#source, overrides: typeof named === 'string' ? named : path };
  }

  /** Source of the prices; `undefined` before `load()`. */
  get source(): PriceSource | undefined {
    return this.#source;
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
    // The model that replied is billed; aliases and deployments occur only in the request.
    const { responseModel, requestModel } = call;
    const first = responseModel ?? requestModel;
    const models = requestModel === first ? [first] : [first, requestModel];
    for (const model of models) {
      const own = this.#byContract(call, usage, model);
      if (own !== undefined) return { ...own, source: 'contract' };
    }
    for (const model of models) {
      const listed = this.#list?.price(call, usage, model);
      if (listed !== undefined) return { ...listed, source: 'list' };
    }
    return undefined;
  }

  /** Contract prices cover tokens, but not hosted tools. */
  #byContract(call: PricedCall, usage: BilledUsage, model: string): PricedParts | undefined {
    if (this.#overrides.length === 0) return undefined;
    const time = Date.parse(call.time);
    const own = this.#overrides.find((entry) => entry.fits(call.provider, model, time));
    if (own === undefined) return undefined;
    const tier = tierPrice(call.serviceTier);
    const unpriced = BILLED_KINDS.filter(
      ({ field, within }) => within === undefined && usage[field],
    );
    return {
      nanoDollars: nanoDollars(usage, own.usdPerMillion, tier.factor),
      missing: [
        ...unpriced.map(({ field }) => kindName(field)),
        ...(tier.missing === undefined ? [] : [tier.missing]),
      ],
    };
  }

  #noteUnknown(provider: string, model: string): void {
    const key = JSON.stringify([provider, model]);
    if (this.#unknown.size >= MAX_UNKNOWN || this.#unknown.has(key)) return;
    this.#unknown.set(key, { provider, model });
    this.#options.onUnknown?.(provider, model);
  }
}

/** Operations without output tokens. */
const INPUT_ONLY = new Set(['embeddings', 'rerank']);

function isPriceable({ operation }: PricedCall, usage: BilledUsage): boolean {
  const { inputTokens, outputTokens } = usage;
  if (inputTokens === undefined) {
    return BILLED_KINDS.some(({ field, within }) => within === undefined && usage[field]);
  }
  if (outputTokens === undefined && !INPUT_ONLY.has(operation ?? '')) return false;
  // Contradictory counts have no price.
  const { cacheReadTokens: read = 0, cacheWriteTokens: written = 0, reasoningTokens = 0 } = usage;
  return read + written <= inputTokens && reasoningTokens <= (outputTokens ?? 0);
}
