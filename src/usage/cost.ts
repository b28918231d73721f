import { readFile } from 'node:fs/promises';
import type * as GenaiPrices from '@pydantic/genai-prices';
import { TokenMeterError } from '../errors.ts';
import { type OverrideMatcher, parseOverrides, type TokenPrices } from './price-overrides.ts';
import type { TokenUsage } from './usage-record.ts';

/** What a price depends on; a `UsageRecord` is one. */
export interface PricedCall extends TokenUsage {
  readonly provider: string;
  readonly requestModel: string;
  readonly responseModel?: string;
  readonly operation?: string;
  /** RFC 3339; prices change, some by the hour. */
  readonly time: string;
}

export interface PriceSource {
  /** For example `genai-prices 0.1.8`. */
  readonly name: string;
  /** Day the prices were published, when known. */
  readonly date?: string;
  /** `date` of the price file, or its path. */
  readonly overrides?: string;
}

export interface PricesOptions {
  /** JSON file with own contracts and currencies; see `PriceOverrides`. */
  readonly overridesFile?: string;
  /** Called once for each provider and model whose price is unknown. */
  readonly onUnknown?: (provider: string, model: string) => void;
}

/** Publication days of the versions this release was tested with; the data itself has no date. */
const PUBLISHED: Readonly<Record<string, string>> = { '0.1.8': '2026-09-23' };

/** The price list's ids of providers that the conventions name otherwise. */
const PROVIDER_IDS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    'azure.ai.openai': 'azure',
    'azure.ai.inference': 'azure',
    'aws.bedrock': 'aws',
    'gcp.gemini': 'google',
    'gcp.gen_ai': 'google',
    'gcp.vertex_ai': 'google',
    mistral_ai: 'mistral',
    x_ai: 'x-ai',
    together_ai: 'together',
    moonshot_ai: 'moonshotai',
  }),
);

/** A hostile caller must not grow these without end by inventing model names. */
const MAX_REMEMBERED = 1000;

const NANO = 1e9;

/** A model of the price list. */
interface Listed {
  /** Cut down to that one model. */
  readonly provider: GenaiPrices.Provider;
  /** Set where the price is the same at any time and size, so that this file can do the sum. */
  readonly plain: TokenPrices | undefined;
}

/** Prices that depend on time, size or requests are left to the list's own rules, at 15 µs a call. */
function plainPrices(
  prices: GenaiPrices.Provider['models'][number]['prices'],
): TokenPrices | undefined {
  if (Array.isArray(prices)) return undefined;
  const given = prices as Readonly<Record<string, unknown>>;
  const price = (key: string): number | undefined =>
    typeof given[key] === 'number' ? given[key] : undefined;
  const input = price('input_mtok');
  if (input === undefined || given['requests_kcount'] !== undefined) return undefined;
  if (Object.values(given).some((value) => typeof value === 'object')) return undefined;
  const [cacheRead, cacheWrite, reasoning] = [
    price('cache_read_mtok'),
    price('cache_write_mtok'),
    price('output_reasoning_mtok'),
  ];
  return {
    input,
    output: price('output_mtok') ?? 0,
    ...(cacheRead !== undefined && { cacheRead }),
    ...(cacheWrite !== undefined && { cacheWrite }),
    ...(reasoning !== undefined && { reasoning }),
  };
}

/** Token counts times prices in whole femto-dollars a token: nothing is rounded before the sum. */
function nanoDollars(call: PricedCall, prices: TokenPrices): number {
  const cacheRead = call.cacheReadTokens ?? 0;
  const cacheWrite = call.cacheWriteTokens ?? 0;
  const reasoning = call.reasoningTokens ?? 0;
  const input = (call.inputTokens ?? 0) - cacheRead - cacheWrite;
  const output = (call.outputTokens ?? 0) - reasoning;
  const femto =
    input * femtoDollars(prices.input) +
    cacheRead * femtoDollars(prices.cacheRead ?? prices.input) +
    cacheWrite * femtoDollars(prices.cacheWrite ?? prices.input) +
    output * femtoDollars(prices.output) +
    reasoning * femtoDollars(prices.reasoning ?? prices.output);
  // A sum of products that is itself below 2^53 was exact all the way.
  if (femto < Number.MAX_SAFE_INTEGER) return Math.round(femto / 1e6);
  return exactNanoDollars([
    [input, prices.input],
    [cacheRead, prices.cacheRead ?? prices.input],
    [cacheWrite, prices.cacheWrite ?? prices.input],
    [output, prices.output],
    [reasoning, prices.reasoning ?? prices.output],
  ]);
}

function femtoDollars(usdPerMillion: number): number {
  return Math.round(usdPerMillion * 1e9);
}

function exactNanoDollars(
  parts: readonly (readonly [tokens: number, usdPerMillion: number])[],
): number {
  let femto = 0n;
  for (const [tokens, usdPerMillion] of parts) {
    femto += BigInt(tokens) * BigInt(femtoDollars(usdPerMillion));
  }
  return Number((femto + 500_000n) / 1_000_000n);
}

async function installedVersion(): Promise<string | undefined> {
  const entry = import.meta.resolve('@pydantic/genai-prices');
  const manifest: unknown = JSON.parse(
    await readFile(new URL('../package.json', entry), 'utf8').catch(() => '{}'),
  );
  const version = (manifest as { version?: unknown }).version;
  return typeof version === 'string' ? version : undefined;
}

/**
 * Prices of `@pydantic/genai-prices` as bundled (no network, no timers), with own contracts before
 * them. The list is a megabyte (about 30 ms and 20 MB): it is loaded by `load()`, not by the import.
 */
export class Prices {
  readonly #options: PricesOptions;
  readonly #unknown = new Map<string, { readonly provider: string; readonly model: string }>();
  readonly #known = new Map<string, Map<string, Listed | undefined>>();
  #knownSize = 0;
  #list: typeof GenaiPrices | undefined;
  #overrides: readonly OverrideMatcher[] = [];
  #source: PriceSource | undefined;
  #loading: Promise<void> | undefined;

  constructor(options: PricesOptions = {}) {
    this.#options = options;
  }

  /**
   * Loads the price list once; `costOf` answers `undefined` before. Rejects with `INVALID_CONFIG`
   * when the price file cannot be read or is wrong; the bundled prices are in effect even then.
   */
  load(): Promise<void> {
    this.#loading ??= this.#load();
    return this.#loading;
  }

  async #load(): Promise<void> {
    this.#list = await import('@pydantic/genai-prices');
    const version = await installedVersion();
    const date = PUBLISHED[version ?? ''];
    this.#source = {
      name: `genai-prices ${version ?? '(version unknown)'}`,
      ...(date !== undefined && { date }),
    };
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

  /** Where the prices come from; `undefined` before `load()`. */
  get source(): PriceSource | undefined {
    return this.#source;
  }

  /** Providers and models that had calls but no price (the first 1000). */
  get unknown(): readonly { readonly provider: string; readonly model: string }[] {
    return [...this.#unknown.values()];
  }

  /**
   * US dollars of a call, rounded to whole nano-dollars. `undefined` when the price or a token count
   * it needs is unknown: never 0 for want of knowledge, never a throw.
   */
  costOf(call: PricedCall): number | undefined {
    if (this.#list === undefined || call.inputTokens === undefined) return undefined;
    if (call.outputTokens === undefined && call.operation !== 'embeddings') return undefined;
    // Counts that contradict each other have no price.
    const { cacheReadTokens: read = 0, cacheWriteTokens: written = 0, reasoningTokens = 0 } = call;
    if (read + written > call.inputTokens || reasoningTokens > (call.outputTokens ?? 0)) {
      return undefined;
    }
    try {
      const nano = this.#nanoDollars(call);
      if (nano !== undefined && Number.isSafeInteger(nano) && nano >= 0) return nano / NANO;
    } catch {
      // The list throws for what it does not know how to price.
      return undefined;
    }
    this.#noteUnknown(call.provider, call.responseModel ?? call.requestModel);
    return undefined;
  }

  #nanoDollars(call: PricedCall): number | undefined {
    // The model that answered is what is billed; aliases and deployments are only in the request.
    const { responseModel, requestModel } = call;
    const first = responseModel ?? requestModel;
    const second = requestModel === first ? undefined : requestModel;
    return (
      this.#byContract(call, first) ??
      (second === undefined ? undefined : this.#byContract(call, second)) ??
      this.#byList(call, first) ??
      (second === undefined ? undefined : this.#byList(call, second))
    );
  }

  #byContract(call: PricedCall, model: string): number | undefined {
    if (this.#overrides.length === 0) return undefined;
    const time = Date.parse(call.time);
    const own = this.#overrides.find((entry) => entry.fits(call.provider, model, time));
    return own === undefined ? undefined : nanoDollars(call, own.usdPerMillion);
  }

  #byList(call: PricedCall, model: string): number | undefined {
    const listed = this.#listed(call, model);
    if (listed === undefined) return undefined;
    if (listed.plain !== undefined) return nanoDollars(call, listed.plain);
    const result = this.#list?.calcPrice(
      {
        input_tokens: call.inputTokens,
        output_tokens: call.outputTokens,
        cache_read_tokens: call.cacheReadTokens,
        cache_write_tokens: call.cacheWriteTokens,
        output_reasoning_tokens: call.reasoningTokens,
      },
      model,
      { provider: listed.provider, timestamp: new Date(call.time) },
    );
    return result ? Math.round(result.total_price * NANO) : undefined;
  }

  /** What the list says of a model, looked up once: matching all of it takes 20 µs. */
  #listed(call: PricedCall, model: string): Listed | undefined {
    let models = this.#known.get(call.provider);
    if (models?.has(model) === true) return models.get(model);
    const found = this.#list?.calcPrice({ input_tokens: 0 }, model, {
      // A call told without its provider is priced as the maker of that model prices it.
      ...(call.provider !== 'unknown' && {
        providerId: PROVIDER_IDS.get(call.provider) ?? call.provider,
      }),
      timestamp: new Date(call.time),
    });
    const listed = found
      ? {
          provider: { ...found.provider, models: [found.model] },
          plain: plainPrices(found.model.prices),
        }
      : undefined;
    if (this.#knownSize < MAX_REMEMBERED) {
      this.#knownSize += 1;
      if (models === undefined) this.#known.set(call.provider, (models = new Map()));
      models.set(model, listed);
    }
    return listed;
  }

  #noteUnknown(provider: string, model: string): void {
    const key = JSON.stringify([provider, model]);
    if (this.#unknown.size >= MAX_REMEMBERED || this.#unknown.has(key)) return;
    this.#unknown.set(key, { provider, model });
    this.#options.onUnknown?.(provider, model);
  }
}
