import type { BilledField, BilledUsage } from './billed-usage.ts';
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

type Counts = { readonly [Count in keyof TokenUsage]-?: number | undefined } & {
  readonly [Count in BilledField]?: number | undefined;
};

/** The counts that are known; undefined when none is. */
export function usageOf(counts: Counts): BilledUsage | undefined {
  const known = Object.entries(counts).filter(([, count]) => count !== undefined);
  return known.length === 0 ? undefined : (Object.fromEntries(known) as BilledUsage);
}

/** Adds the usage of another part of the same reply. */
export function addUsage(
  known: BilledUsage | undefined,
  more: BilledUsage | undefined,
): BilledUsage | undefined {
  if (known === undefined || more === undefined) return known ?? more;
  const keys = new Set([...Object.keys(known), ...Object.keys(more)] as (keyof BilledUsage)[]);
  return Object.fromEntries(
    [...keys].map((key) => [key, (known[key] ?? 0) + (more[key] ?? 0)]),
  ) as BilledUsage;
}
