import { setImmediate as nextTurn } from 'node:timers/promises';
import { TokenMeterError } from '../errors.ts';
import { isObject } from '../tokens/json.ts';
import type { ListProvider, SeparateLibrary } from './list-library.ts';
import { checkPlausible } from './list-plausible.ts';

/** A list with fewer models than this share of the previous one is taken for a broken download. */
const SHRUNK_BELOW = 0.8;

const MODELS_AT_ONCE = 20;

export interface CheckedList {
  readonly providers: readonly ListProvider[];
  readonly models: number;
  /** Prices of kinds that the installed library does not know, which were left out. */
  readonly unknownPrices: number;
}

/**
 * Checks a downloaded list before it replaces another one: its form, by the library itself, the price of
 * every model, and whether it can be a list of prices at all. Rejects with `INVALID_PRICES` that names the first wrong entry.
 *
 * @param previous number of models of the list in use
 */
export async function checkList(
  content: unknown,
  previous: number,
  separate: SeparateLibrary,
): Promise<CheckedList> {
  if (!Array.isArray(content)) throw invalid('the list', 'a list of providers');
  const known = priceKeysOf(separate.bundled);
  const counts = { unknownPrices: 0 };
  const providers = content.map((provider: unknown, index) =>
    checkedProvider(provider, `[${index}]`, known, counts),
  );
  const models = modelCount(providers);
  if (models < previous * SHRUNK_BELOW) {
    throw invalid(
      `the list has ${models} models, the one in use ${previous}: it`,
      `at least ${Math.ceil(previous * SHRUNK_BELOW)} models long`,
    );
  }
  for (const provider of providers) await checkPrices(provider, separate);
  checkPlausible(providers, separate.bundled);
  return { providers, models, ...counts };
}

export function modelCount(providers: readonly ListProvider[]): number {
  return providers.reduce((sum, { models }) => sum + models.length, 0);
}

function invalid(where: string, allowed: string, cause?: unknown): TokenMeterError {
  return new TokenMeterError('INVALID_PRICES', `price list: ${where} must be ${allowed}`, {
    value: where,
    allowed,
    cause,
  });
}

function checkedProvider(
  value: unknown,
  where: string,
  known: ReadonlySet<string>,
  counts: { unknownPrices: number },
): ListProvider {
  if (!isObject(value) || typeof value['id'] !== 'string' || !Array.isArray(value['models'])) {
    throw invalid(where, 'a provider with an id and models');
  }
  const { id, models } = value;
  // Readers of replies are not used here, and newer ones would be warned about.
  const { extractors: _, ...provider } = value as unknown as ListProvider;
  return {
    ...provider,
    models: models.map((model: unknown, index): ListProvider['models'][number] => {
      const at = `${id}.models[${index}]`;
      if (!isObject(model) || typeof model['id'] !== 'string' || !isObject(model['match'])) {
        throw invalid(at, 'a model with an id and a match');
      }
      const { prices } = model;
      const knownPrices = (entry: unknown, place: string): Record<string, unknown> => {
        if (!isObject(entry)) throw invalid(place, 'an object of prices');
        const kept = Object.entries(entry).filter(([key]) => known.has(key));
        counts.unknownPrices += Object.keys(entry).length - kept.length;
        return Object.fromEntries(kept);
      };
      const checked = Array.isArray(prices)
        ? prices.map((entry: unknown, place) => ({
            ...(entry as object),
            prices: knownPrices(
              isObject(entry) ? entry['prices'] : undefined,
              `${id}/${String(model['id'])} prices[${place}]`,
            ),
          }))
        : knownPrices(prices, `${id}/${String(model['id'])}`);
      return { ...model, prices: checked } as unknown as ListProvider['models'][number];
    }),
  };
}

/** The library prices a call with nothing in it only if all prices of the model are valid. */
async function checkPrices(provider: ListProvider, { library }: SeparateLibrary): Promise<void> {
  for (const [index, model] of provider.models.entries()) {
    // A list has over a thousand models: the event loop gets its turn.
    if (index % MODELS_AT_ONCE === 0) await nextTurn();
    const times = Array.isArray(model.prices)
      ? model.prices.map(({ constraint }) =>
          constraint !== undefined && 'start_date' in constraint
            ? new Date(constraint.start_date)
            : new Date(),
        )
      : [new Date()];
    const single = { ...provider, models: [{ ...model, match: { equals: model.id } }] };
    for (const timestamp of times) {
      try {
        library.calcPrice({ input_tokens: 0 }, model.id, { provider: single, timestamp });
      } catch (cause) {
        const reason = cause instanceof Error ? cause.message : String(cause);
        throw invalid(`${provider.id}/${model.id} (${reason})`, 'a model with valid prices', cause);
      }
    }
  }
}

function priceKeysOf(providers: readonly ListProvider[]): ReadonlySet<string> {
  const keys = new Set<string>();
  for (const { models } of providers) {
    for (const { prices } of models) {
      for (const entry of Array.isArray(prices) ? prices.map((one) => one.prices) : [prices]) {
        for (const key of Object.keys(entry)) keys.add(key);
      }
    }
  }
  return keys;
}
