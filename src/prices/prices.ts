import { readFile } from 'node:fs/promises';
import { TokenMeterError } from '../errors.ts';
import { NANO_DOLLARS, nanoDollars } from './nano-dollars.ts';
import { type PricedCall, PriceList } from './price-list.ts';
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

  /**
   * Cost of a call in US dollars, rounded to whole nano-dollars. `undefined` when the price or a
   * required token count is unknown. Never throws.
   */
  costOf(call: PricedCall): number | undefined {
    if (this.#list === undefined || call.inputTokens === undefined) return undefined;
    if (call.outputTokens === undefined && call.operation !== 'embeddings') return undefined;
    // Contradictory counts have no price.
    const { cacheReadTokens: read = 0, cacheWriteTokens: written = 0, reasoningTokens = 0 } = call;
    if (read + written > call.inputTokens || reasoningTokens > (call.outputTokens ?? 0)) {
      return undefined;
    }
    try {
      const nano = this.#nanoDollars(call);
      if (nano !== undefined && Number.isSafeInteger(nano) && nano >= 0) return nano / NANO_DOLLARS;
    } catch {
      // The list throws for usage that it cannot price.
      return undefined;
    }
    this.#noteUnknown(call.provider, call.responseModel ?? call.requestModel);
    return undefined;
  }

  #nanoDollars(call: PricedCall): number | undefined {
    // The model that replied is billed; aliases and deployments occur only in the request.
    const { responseModel, requestModel } = call;
    const first = responseModel ?? requestModel;
    const second = requestModel === first ? undefined : requestModel;
    return (
      this.#byContract(call, first) ??
      (second === undefined ? undefined : this.#byContract(call, second)) ??
      this.#list?.nanoDollars(call, first) ??
      (second === undefined ? undefined : this.#list?.nanoDollars(call, second))
    );
  }

  #byContract(call: PricedCall, model: string): number | undefined {
    if (this.#overrides.length === 0) return undefined;
    const time = Date.parse(call.time);
    const own = this.#overrides.find((entry) => entry.fits(call.provider, model, time));
    return own === undefined ? undefined : nanoDollars(call, own.usdPerMillion);
  }

  #noteUnknown(provider: string, model: string): void {
    const key = JSON.stringify([provider, model]);
    if (this.#unknown.size >= MAX_UNKNOWN || this.#unknown.has(key)) return;
    this.#unknown.set(key, { provider, model });
    this.#options.onUnknown?.(provider, model);
  }
}
