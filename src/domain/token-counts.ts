import type { TokenUsage } from './usage-record.ts';

/**
 * A reported token count. Null, negative, fractional and non-numeric values count as not reported.
 */
export function tokenCount(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** `first` plus the other counts that were reported. Without `first` the sum is unknown. */
export function plus(
  first: number | undefined,
  ...more: readonly (number | undefined)[]
): number | undefined {
  if (first === undefined) return undefined;
  return more.reduce<number>((sum, count) => sum + (count ?? 0), first);
}

/**
 * Output tokens including reasoning. xAI and some gateways report them separately, which shows in
 * the total.
 */
export function outputWithReasoning(
  outputTokens: number | undefined,
  reasoningTokens: number | undefined,
  inputTokens: number | undefined,
  totalTokens: unknown,
): number | undefined {
  if (outputTokens === undefined || !reasoningTokens) return outputTokens;
  const all = outputTokens + reasoningTokens;
  return (inputTokens ?? 0) + all === totalTokens ? all : outputTokens;
}

/** The known counts; `undefined` when there are none. */
export function usageOf(counts: {
  readonly [Count in keyof TokenUsage]: number | undefined;
}): TokenUsage | undefined {
  const known = Object.entries(counts).filter(([, count]) => count !== undefined);
  return known.length === 0 ? undefined : (Object.fromEntries(known) as TokenUsage);
}

/** Adds the usage of another part of the same reply. */
export function addUsage(
  known: TokenUsage | undefined,
  more: TokenUsage | undefined,
): TokenUsage | undefined {
  if (known === undefined || more === undefined) return known ?? more;
  const keys = new Set([...Object.keys(known), ...Object.keys(more)] as (keyof TokenUsage)[]);
  return Object.fromEntries(
    [...keys].map((key) => [key, (known[key] ?? 0) + (more[key] ?? 0)]),
  ) as TokenUsage;
}
