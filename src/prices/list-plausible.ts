import { TokenMeterError } from '../errors.ts';
import type { ListProvider } from './list-library.ts';
import type { ModelPrices } from './list-prices.ts';

type Model = ListProvider['models'][number];

/** Providers with fewer priced models come and go. */
const KNOWN_MODELS = 10;
const KEPT_SHARE = 0.5;
/** A price that differs more is in another unit, or an error. */
const LARGEST_CHANGE = 20;

/**
 * Compares a downloaded list with the installed one, as a list that is valid in form may still be no list of
 * prices: each provider of some size has to be there, with prices for at least half as many models,
 * and most models have to cost about what they did. Throws `INVALID_PRICES`.
 */
export function checkPlausible(
  providers: readonly ListProvider[],
  installed: readonly ListProvider[],
): void {
  const found = new Map(providers.map((provider) => [provider.id, provider]));
  let shared = 0;
  let changed = 0;
  for (const { id, models } of installed) {
    const now = found.get(id)?.models ?? [];
    checkCount(id, pricedModels(models), pricedModels(now));
    const before = new Map(models.map((model) => [model.id, inputPrice(model)]));
    for (const model of now) {
      const [old, price] = [before.get(model.id), inputPrice(model)];
      if (!old || price === undefined) continue;
      shared += 1;
      if (price < old / LARGEST_CHANGE || price > old * LARGEST_CHANGE) changed += 1;
    }
  }
  if (changed * 2 > shared) {
    throw implausible(
      `${changed} of ${shared} models have another price of input by a factor of more than ${LARGEST_CHANGE}: it`,
      'in US dollars per million tokens',
    );
  }
}

function checkCount(id: string, before: number, now: number): void {
  const least = Math.ceil(before * KEPT_SHARE);
  if (before < KNOWN_MODELS || now >= least) return;
  throw implausible(
    `${id} has ${now} models with a price, in the installed list ${before}: it`,
    `at least ${least} models with a price`,
  );
}

function pricedModels(models: readonly Model[]): number {
  return models.filter((model) =>
    pricesOf(model).some((prices) =>
      Object.values(prices).some((price) => amounts(price).some((amount) => amount > 0)),
    ),
  ).length;
}

function inputPrice(model: Model): number | undefined {
  const latest = pricesOf(model).at(-1)?.['input_mtok'];
  return latest === undefined ? undefined : amounts(latest)[0];
}

function pricesOf({ prices }: Model): readonly ModelPrices[] {
  return (Array.isArray(prices) ? prices.map((entry) => entry.prices) : [prices]) as ModelPrices[];
}

/** A price, or one with tiers for long prompts, the base first. */
function amounts(price: unknown): readonly number[] {
  if (typeof price === 'number') return [price];
  const { base, tiers = [] } = (price ?? {}) as {
    readonly base?: number;
    readonly tiers?: readonly { readonly price: number }[];
  };
  return [...(base === undefined ? [] : [base]), ...tiers.map((tier) => tier.price)];
}

function implausible(where: string, allowed: string): TokenMeterError {
  return new TokenMeterError('INVALID_PRICES', `price list: ${where} must be ${allowed}`, {
    value: where,
    allowed,
  });
}
