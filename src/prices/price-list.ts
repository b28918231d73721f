import { hasBilledKinds, type BilledUsage } from '../domain/billed-usage.ts';
import { addedPrices, isWhollyOwn, ownPrices } from './added-prices.ts';
import type { ListFile } from './list-file.ts';
import {
  installedLibrary,
  type ListLibrary,
  type ListProvider,
  separateLibrary,
} from './list-library.ts';
import { checkPlausible } from './list-plausible.ts';
import { pricesForSize, type ModelPrices } from './list-prices.ts';
import { listedUsage } from './list-units.ts';
import { installedVersion, publicationDate } from './list-version.ts';
import { NANO_DOLLARS, nanoDollars, sumNanoDollars, type TokenPrices } from './nano-dollars.ts';
import type { PricedCall, PricedParts } from './priced-call.ts';
import { priceFactor } from './price-factor.ts';
import { listedProvider } from './provider-ids.ts';

/** Bounds the cache: callers may send any number of model names. */
const MAX_REMEMBERED = 1000;

/** A model of the price list. */
interface Listed {
  /** The list reduced to this model. */
  readonly provider: ListProvider;
  /** Keys of prices that the list does not have and this package adds. */
  readonly added: readonly string[];
  /** Set for prices that depend on neither time nor size, which are computed here. */
  readonly plain: TokenPrices | undefined;
}

/** A model of the list, and its prices at one time. */
export interface ListedModel {
  /** Ids in the list, which may differ from those of the call. */
  readonly provider: string;
  readonly model: string;
  readonly prices: ModelPrices;
  /** Keys of prices that this package adds to the list. */
  readonly added: ReadonlySet<string>;
}

interface Origin {
  readonly name: string;
  readonly date: string | undefined;
  /** Called before the library matches a model. */
  readonly activate: () => void;
}

/** List prices from `@pydantic/genai-prices`: its own list, or a downloaded one. */
export class PriceList {
  /** For example `genai-prices 0.1.8`. */
  readonly name: string;
  /** Publication date of the prices, or of their download, when known. */
  readonly date: string | undefined;
  readonly #list: ListLibrary;
  readonly #activate: () => void;
  readonly #known = new Map<string, Map<string, Listed | undefined>>();
  #knownSize = 0;

  private constructor(list: ListLibrary, { name, date, activate }: Origin) {
    this.#list = list;
    this.name = name;
    this.date = date;
    this.#activate = activate;
  }

  /** The list of the installed package. */
  static async installed(): Promise<PriceList> {
    const version = await installedVersion();
    return new PriceList(await installedLibrary(), {
      name: `genai-prices ${version ?? '(version unknown)'}`,
      date: publicationDate(version),
      activate: () => {},
    });
  }

  /** A downloaded list. Rejects with `MISSING_DEPENDENCY` inside a bundle. */
  static async fromFile({ providers, retrieved }: ListFile): Promise<PriceList> {
    const separate = await separateLibrary();
    // Throws here, where it can be reported, if the file was changed by hand.
    separate.activate(providers);
    checkPlausible(providers, separate.bundled);
    return new PriceList(separate.library, {
      name: 'genai-prices download',
      date: retrieved.slice(0, 10),
      activate: () => separate.activate(providers),
    });
  }

  /** `undefined` for an unknown model. Throws for contradictory counts. */
  price(call: PricedCall, usage: BilledUsage, model: string): PricedParts | undefined {
    const listed = this.#listed(call, model);
    if (listed === undefined) return undefined;
    const { factor, missing: ofTier } = priceFactor(call, model);
    if (listed.plain !== undefined && !hasBilledKinds(usage)) {
      return { nanoDollars: nanoDollars(usage, listed.plain, factor), missing: ofTier };
    }
    const options = { provider: listed.provider, timestamp: new Date(call.time) };
    const unused = this.#list.calcPrice({ input_tokens: 0 }, model, options);
    const prices: ModelPrices = { ...unused?.model_price, ...ownPrices(listed.provider.id, model) };
    const requestFee = unused?.total_price ?? 0;
    const { tokens, others, own, missing } = listedUsage(usage, prices, call);
    // Input without a price is part of the call's size, which decides the tier of the rest.
    const size = call.inputTokens ?? 0;
    const flat =
      tokens['input_tokens'] === size ? undefined : pricesForSize(unused?.model_price ?? {}, size);
    if (flat !== undefined) options.provider = withPrices(listed.provider, flat);
    const sums = [
      [tokens, factor],
      [others, 1],
    ] as const;
    let nano = own.length > 0 ? sumNanoDollars(own) : undefined;
    for (const [part, ofPart] of sums) {
      const used = Object.values(part).some((amount) => amount > 0);
      // Where nothing with a price was used, the cost is unknown, unless nothing was used at all.
      const isUnknown = part === tokens && requestFee === 0 && missing.length > 0;
      if (!used && (part === others || isUnknown)) continue;
      if (used && part === tokens && prices['input_mtok'] === undefined) continue;
      const dollars = this.#list.calcPrice(part, model, options)?.total_price;
      if (dollars === undefined) continue;
      // Every result of the list includes the request fee, which belongs to the tokens.
      const fee = part === others ? requestFee : 0;
      nano = (nano ?? 0) + Math.round((dollars - fee) * ofPart * NANO_DOLLARS);
    }
    return { nanoDollars: nano, missing: [...missing, ...ofTier] };
  }

  /** The model that the list finds for a call, with its prices at that time. */
  find(call: Pick<PricedCall, 'provider' | 'time'>, model: string): ListedModel | undefined {
    const listed = this.#listed(call, model);
    if (listed === undefined) return undefined;
    const found = this.#list.calcPrice({ input_tokens: 0 }, model, {
      provider: listed.provider,
      timestamp: new Date(call.time),
    });
    if (found === null) return undefined;
    const own = ownPrices(found.provider.id, model) ?? {};
    return {
      provider: found.provider.id,
      model: found.model.id,
      prices: { ...found.model_price, ...own },
      added: new Set([...listed.added, ...Object.keys(own)]),
    };
  }

  /** Cached lookup: matching the whole list takes 20 µs. */
  #listed(call: Pick<PricedCall, 'provider' | 'time'>, model: string): Listed | undefined {
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

  #find(
    { provider: name, time }: Pick<PricedCall, 'provider' | 'time'>,
    model: string,
  ): Listed | undefined {
    this.#activate();
    const providerId = listedProvider(name);
    const found = this.#list.calcPrice({ input_tokens: 0 }, model, {
      // A call recorded without a provider is priced by the model's vendor.
      ...(name !== 'unknown' && { providerId }),
      timestamp: new Date(time),
    });
    const added = addedPrices(found?.provider.id ?? providerId, model);
    const isOurs =
      added !== undefined || (providerId !== undefined && isWhollyOwn(providerId, model));
    const provider =
      found?.provider ?? (isOurs ? this.#list.findProvider({ providerId }) : undefined);
    const known =
      found?.model ?? (isOurs ? { id: model, match: { equals: model }, prices: {} } : undefined);
    if (provider === undefined || known === undefined) return undefined;
    const prices = Array.isArray(known.prices) ? known.prices : { ...added, ...known.prices };
    return {
      provider: { ...provider, models: [{ ...known, prices }] },
      added: Object.keys(added ?? {}).filter((key) => !(key in known.prices)),
      plain: plainPrices(prices),
    };
  }
}

/**
 * Prices that depend on time, size or requests are computed by the list's library, in 15 µs per
 * call.
 */
function plainPrices(prices: ListProvider['models'][number]['prices']): TokenPrices | undefined {
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

function withPrices(provider: Listed['provider'], prices: ModelPrices): Listed['provider'] {
  const models = provider.models.map((model) => ({
    ...model,
    prices: prices as (typeof model)['prices'],
  }));
  return { ...provider, models };
}
