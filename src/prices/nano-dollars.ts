import type { TokenPrices } from './price-overrides.ts';
import type { TokenUsage } from '../domain/usage-record.ts';

export const NANO_DOLLARS = 1e9;

/**
 * Multiplies token counts by prices in whole femto-dollars per token, so nothing is rounded before
 * the sum. `factor` applies to every price (service tiers).
 */
export function nanoDollars(call: TokenUsage, prices: TokenPrices, factor = 1): number {
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
  // If the sum is below 2^53, all intermediate results were exact.
  if (femto < Number.MAX_SAFE_INTEGER) return Math.round((femto / 1e6) * factor);
  const exact = exactNanoDollars([
    [input, prices.input],
    [cacheRead, prices.cacheRead ?? prices.input],
    [cacheWrite, prices.cacheWrite ?? prices.input],
    [output, prices.output],
    [reasoning, prices.reasoning ?? prices.output],
  ]);
  return factor === 1 ? exact : Math.round(exact * factor);
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
