import type { TokenUsage } from '../domain/usage-record.ts';

export const NANO_DOLLARS = 1e9;

/** US dollars per million tokens. A kind without a price uses that of its parent kind. */
export interface TokenPrices {
  readonly input: number;
  readonly output: number;
  readonly cacheRead?: number;
  readonly cacheWrite?: number;
  readonly reasoning?: number;
}

export type CountedPrice = readonly [count: number, usdPerMillion: number];

/** Cost of the token counts of a call. `factor` applies to every price (service tiers). */
export function nanoDollars(call: TokenUsage, prices: TokenPrices, factor = 1): number {
  const cacheRead = call.cacheReadTokens ?? 0;
  const cacheWrite = call.cacheWriteTokens ?? 0;
  const reasoning = call.reasoningTokens ?? 0;
  const input = (call.inputTokens ?? 0) - cacheRead - cacheWrite;
  const output = (call.outputTokens ?? 0) - reasoning;
  return sumNanoDollars(
    [
      [input, prices.input],
      [cacheRead, prices.cacheRead ?? prices.input],
      [cacheWrite, prices.cacheWrite ?? prices.input],
      [output, prices.output],
      [reasoning, prices.reasoning ?? prices.output],
    ],
    factor,
  );
}

/**
 * Multiplies counts by prices in whole femto-dollars, so nothing is rounded before the sum.
 */
export function sumNanoDollars(parts: readonly CountedPrice[], factor = 1): number {
  let femto = 0;
  for (const [count, usdPerMillion] of parts) femto += count * femtoDollars(usdPerMillion);
  // If the sum is below 2^53, all intermediate results were exact.
  if (femto < Number.MAX_SAFE_INTEGER) return Math.round((femto / 1e6) * factor);
  // Seconds of audio are no whole numbers, and of no such sums.
  if (parts.some(([count]) => !Number.isSafeInteger(count)))
    return Math.round((femto / 1e6) * factor);
  const exact = exactNanoDollars(parts);
  return factor === 1 ? exact : Math.round(exact * factor);
}

function femtoDollars(usdPerMillion: number): number {
  return Math.round(usdPerMillion * 1e9);
}

function exactNanoDollars(parts: readonly CountedPrice[]): number {
  let femto = 0n;
  for (const [count, usdPerMillion] of parts) {
    femto += BigInt(count) * BigInt(femtoDollars(usdPerMillion));
  }
  return Number((femto + 500_000n) / 1_000_000n);
}
