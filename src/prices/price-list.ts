import { readFile } from 'node:fs/promises';
import type * as GenaiPrices from '@pydantic/genai-prices';
import { addedPrices } from './added-prices.ts';
import { NANO_DOLLARS, nanoDollars } from './nano-dollars.ts';
import type { TokenPrices } from './price-overrides.ts';
import { BILLED_KINDS, type BilledUsage } from '../domain/billed-usage.ts';
import { packageFile } from '../tokens/package-file.ts';
import { listedUsage } from './list-units.ts';
import type { PricedCall, PricedParts } from './priced-call.ts';
import { regionPrice } from './region-price.ts';
import { tierPrice } from './service-tier.ts';

/** Publication dates of the tested versions, since the data contains no date. */
const PUBLISHED: Readonly<Record<string, string>> = { '0.1.8': '2026-09-23' };

/** Provider ids of the price list that differ from the semantic conventions. */
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

/** Bounds the cache: callers may send any number of model names. */
const MAX_REMEMBERED = 1000;

/** A model of the price list. */
interface Listed {
  /** The list reduced to this model. */
  readonly provider: GenaiPrices.Provider;
  /** Set for prices that depend on neither time nor size, which are computed here. */
  readonly plain: TokenPrices | undefined;
}

/** List prices from the bundled `@pydantic/genai-prices`. */
export class PriceList {
  /** For example `genai-prices 0.1.8`. */
  readonly name: string;
  /** Publication date of the prices, when known. */
  readonly date: string | undefined;
  readonly #list: typeof GenaiPrices;
  readonly #known = new Map<string, Map<string, Listed | undefined>>();
  #knownSize = 0;

  private constructor(list: typeof GenaiPrices, version: string | undefined) {
    this.#list = list;
    this.name = `genai-prices ${version ?? '(version unknown)'}`;
    this.date = PUBLISHED[version ?? ''];
  }

  static async load(): Promise<PriceList> {
    return new PriceList(await import('@pydantic/genai-prices'), await installedVersion());
  }

  /** `undefined` for an unknown model. Throws for contradictory counts. */
  price(call: PricedCall, usage: BilledUsage, model: string): PricedParts | undefined {
    const listed = this.#listed(call, model);
    if (listed === undefined) return undefined;
    const tier = tierPrice(call.serviceTier);
    const region = regionPrice(call, model);
    const factor = tier.factor * region.factor;
    const ofTier = [tier.missing, region.missing, batchedCache(call)].filter(
      (name) => name !== undefined,
    );
    if (listed.plain !== undefined && BILLED_KINDS.every(({ field }) => !usage[field])) {
      return { nanoDollars: nanoDollars(usage, listed.plain, factor), missing: ofTier };
    }
    const options = { provider: listed.provider, timestamp: new Date(call.time) };
    const unused = this.#list.calcPrice({ input_tokens: 0 }, model, options);
    const prices = unused?.model_price ?? {};
    const requestFee = unused?.total_price ?? 0;
    const { tokens, others, missing } = listedUsage(usage, prices, call);
    const sums = [
      [tokens, factor],
      [others, 1],
    ] as const;
    let nano: number | undefined;
    for (const [part, ofPart] of sums) {
      const used = Object.values(part).some((amount) => amount > 0);
      if (part === others && !used) continue;
      if (used && part === tokens && prices['input_mtok'] === undefined) continue;
      const dollars = this.#list.calcPrice(part, model, options)?.total_price;
      if (dollars === undefined) continue;
      // Every result of the list includes the request fee, which belongs to the tokens.
      const fee = part === others ? requestFee : 0;
      nano = (nano ?? 0) + Math.round((dollars - fee) * ofPart * NANO_DOLLARS);
    }
    return { nanoDollars: nano, missing: [...missing, ...ofTier] };
  }

  /** Cached lookup: matching the whole list takes 20 µs. */
  #listed(call: PricedCall, model: string): Listed | undefined {
    let models = this.#known.get(call.provider);
    if (models?.has(model) === true) return models.get(model);
    const listed = this.#find(call, model);
    if (this.#knownSize < MAX_REMEMBERED) {
      this.#knownSize += 1;
      if (models === undefined) this.#known.set(call.provider, (models = new Map()));
      models.set(model, listed);
    }
    return listed;
  }

  #find({ provider: name, time }: PricedCall, model: string): Listed | undefined {
    const providerId = PROVIDER_IDS.get(name) ?? name;
    const found = this.#list.calcPrice({ input_tokens: 0 }, model, {
      // A call recorded without a provider is priced by the model's vendor.
      ...(name !== 'unknown' && { providerId }),
      timestamp: new Date(time),
    });
    const added = addedPrices(found?.provider.id ?? providerId, model);
    const provider = found?.provider ?? (added && this.#list.findProvider({ providerId }));
    const known = found?.model ?? (added && { id: model, match: { equals: model }, prices: {} });
    if (provider === undefined || known === undefined) return undefined;
    const prices = Array.isArray(known.prices) ? known.prices : { ...added, ...known.prices };
    return {
      provider: { ...provider, models: [{ ...known, prices }] },
      plain: plainPrices(prices),
    };
  }
}

/** Google asks the full price for cache reads in a batch: half of it is the least that is paid. */
function batchedCache({ provider, serviceTier, cacheReadTokens }: PricedCall): string | undefined {
  const isBatched = serviceTier === 'batch' && provider.startsWith('gcp.') && cacheReadTokens;
  return isBatched ? 'batch_cache_reads' : undefined;
}

/**
 * Prices that depend on time, size or requests are computed by the list's library, in 15 µs per
 * call.
 */
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

/** `undefined` in a bundle, where the manifest cannot be located. */
async function installedVersion(): Promise<string | undefined> {
  const file = packageFile('@pydantic/genai-prices', 'package.json');
  if (file === undefined) return undefined;
  const manifest: unknown = JSON.parse(await readFile(file, 'utf8').catch(() => '{}'));
  const version = (manifest as { version?: unknown }).version;
  return typeof version === 'string' ? version : undefined;
}
