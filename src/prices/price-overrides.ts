import { TokenMeterError } from '../errors.ts';
import { isObject } from '../tokens/json.ts';

/**
 * US dollars (or `currency`) per million tokens. A kind without a price uses that of its parent
 * kind.
 */
export interface TokenPrices {
  readonly input: number;
  readonly output: number;
  readonly cacheRead?: number;
  readonly cacheWrite?: number;
  readonly reasoning?: number;
}

/** A contract price. The first matching entry wins. */
interface PriceOverride {
  /** `gen_ai.provider.name`. Absent matches any provider. */
  readonly provider?: string;
  /** Exact model name, or a prefix ending in `*`. */
  readonly model: string;
  /** Start of validity, RFC 3339 or a date (UTC). */
  readonly from?: string;
  /** End of validity, exclusive. */
  readonly until?: string;
  /** ISO 4217 code, converted by `usdPer`. @default 'USD' */
  readonly currency?: string;
  readonly perMillionTokens: TokenPrices;
}

/** Content of a price file. */
export interface PriceOverrides {
  /** Shown with costs, for example the date of the contract. */
  readonly date?: string;
  /** Fixed exchange rates: US dollars per unit of each other currency, `{ "EUR": 1.08 }`. */
  readonly usdPer?: Readonly<Record<string, number>>;
  readonly prices: readonly PriceOverride[];
}

/** A validated price, converted to US dollars. */
export interface OverrideMatcher {
  fits(provider: string, model: string, time: number): boolean;
  readonly usdPerMillion: TokenPrices;
}

function fail(where: string, value: unknown, allowed: string): never {
  throw new TokenMeterError('INVALID_CONFIG', `prices: ${where} must be ${allowed}`, {
    value,
    allowed,
  });
}

function instant(value: unknown, where: string, absent: number): number {
  if (value === undefined) return absent;
  const time = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(time) ? fail(where, value, 'a date such as 2026-01-31') : time;
}

const KINDS = ['input', 'output', 'cacheRead', 'cacheWrite', 'reasoning'] as const;

function tokenPrices(value: unknown, where: string, usdPerUnit: number): TokenPrices {
  if (!isObject(value)) return fail(where, value, 'an object with input and output');
  const unknown = Object.keys(value).find((key) => !KINDS.some((kind) => kind === key));
  if (unknown !== undefined) fail(`${where}.${unknown}`, value[unknown], `one of ${KINDS.join()}`);
  const prices: { -readonly [K in keyof TokenPrices]?: number } = {};
  for (const kind of KINDS) {
    const price = value[kind];
    if (price === undefined && kind !== 'input' && kind !== 'output') continue;
    if (typeof price !== 'number' || !Number.isFinite(price) || price < 0) {
      return fail(`${where}.${kind}`, price, 'a number of at least 0 (per million tokens)');
    }
    prices[kind] = price * usdPerUnit;
  }
  return prices as TokenPrices;
}

function rate(usdPer: unknown, currency: unknown, where: string): number {
  if (currency === undefined || currency === 'USD') return 1;
  const value = isObject(usdPer) && typeof currency === 'string' ? usdPer[currency] : undefined;
  if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value;
  return fail(where, currency, 'USD or a currency that has a rate in usdPer');
}

/**
 * Validates the content of a price file. Throws `INVALID_CONFIG` that names the first invalid
 * entry.
 */
export function parseOverrides(content: unknown): readonly OverrideMatcher[] {
  if (!isObject(content) || !Array.isArray(content['prices'])) {
    return fail('the file', content, 'an object with a list "prices"');
  }
  return content['prices'].map((entry: unknown, index): OverrideMatcher => {
    const where = `prices[${index}]`;
    if (!isObject(entry)) return fail(where, entry, 'an object');
    const { model, provider } = entry;
    if (typeof model !== 'string' || model === '') {
      return fail(`${where}.model`, model, 'a model name, or a prefix ending in *');
    }
    if (provider !== undefined && typeof provider !== 'string') {
      return fail(`${where}.provider`, provider, 'a provider name');
    }
    const from = instant(entry['from'], `${where}.from`, -Infinity);
    const until = instant(entry['until'], `${where}.until`, Infinity);
    const usdPerUnit = rate(content['usdPer'], entry['currency'], `${where}.currency`);
    const prefix = model.endsWith('*') ? model.slice(0, -1) : undefined;
    return {
      usdPerMillion: tokenPrices(
        entry['perMillionTokens'],
        `${where}.perMillionTokens`,
        usdPerUnit,
      ),
      fits: (callProvider, callModel, time) =>
        (provider === undefined || provider === callProvider) &&
        (prefix === undefined ? callModel === model : callModel.startsWith(prefix)) &&
        time >= from &&
        time < until,
    };
  });
}
