import type { EstimatedTokens } from './call-estimate.ts';

/** Whole nano-dollars of a call of this size, by the prices of now; undefined when the model has no price. */
export type PriceOfTokens = (
  call: { readonly provider: string; readonly model: string; readonly operation: string },
  tokens: EstimatedTokens,
) => number | undefined;

/** Nano-dollars a token. */
interface Rates {
  readonly input: number;
  readonly output: number;
  readonly untilMs: number;
}

/** Prices of some models depend on the hour. */
const KEPT_MS = 60_000;
const MODELS_MAX = 1000;
/** Longer input has another price at some models. */
const SAMPLE = 10_000;
const LONG_INPUT = 100_000;

/** What a call of a model without a price costs, as far as is known. */
const UNPRICED: Omit<Rates, 'untilMs'> = { input: 0, output: 0 };

/** Prices for estimates, at a lookup a call. */
export class CallPrice {
  readonly #priceOf: PriceOfTokens;
  readonly #rates = new Map<string, Rates>();

  constructor(priceOf: PriceOfTokens) {
    this.#priceOf = priceOf;
  }

  nanoDollars(call: Parameters<PriceOfTokens>[0], tokens: EstimatedTokens, nowMs: number): number {
    if (tokens.input > LONG_INPUT) return Math.ceil(this.#priceOf(call, tokens) ?? 0);
    const { input, output } = this.#ratesOf(call, nowMs);
    return Math.ceil(tokens.input * input + tokens.output * output);
  }

  #ratesOf(call: Parameters<PriceOfTokens>[0], nowMs: number): Omit<Rates, 'untilMs'> {
    const key = `${call.provider}\n${call.model}\n${call.operation}`;
    const known = this.#rates.get(key);
    if (known !== undefined && nowMs < known.untilMs) return known;
    const input = this.#priceOf(call, { input: SAMPLE, output: 0 });
    const output = this.#priceOf(call, { input: 0, output: SAMPLE });
    if (input === undefined && output === undefined) return UNPRICED;
    const rates = {
      input: (input ?? 0) / SAMPLE,
      output: (output ?? 0) / SAMPLE,
      untilMs: nowMs + KEPT_MS,
    };
    if (this.#rates.size >= MODELS_MAX) this.#rates.clear();
    this.#rates.set(key, rates);
    return rates;
  }
}
