import type { BilledField, BilledUsage } from './billed-usage.ts';
import type { TokenUsage } from './usage-record.ts';

/** A count as reported; null, negative, fractional and non-numbers mean "not reported". */
export function tokenCount(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** `first` plus what else was reported; without `first` the sum is unknown. */
export function plus(
  first: number | undefined,
  ...more: readonly (number | undefined)[]
): number | undefined {
  if (first === undefined) return undefined;
  return more.reduce<number>((sum, count) => sum + (count ?? 0), first);
}

/** Output tokens with reasoning in them: xAI and some gateways report it beside them, as their total tells. */
export function wholeOutput(
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

/** Usage of a further part of the same reply. */
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
