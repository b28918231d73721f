import { isObject, objectAt, type JsonObject } from '../../tokens/json.ts';
import type { BilledUsage } from '../../domain/billed-usage.ts';
import { tokenCount, usageOf } from '../../domain/token-counts.ts';

/**
 * `usage` of API v2 or `meta` of v1 and embed. `tokens` is what the model processed; `billedUnits`
 * leaves out what Cohere adds to the prompt itself: it is stored beside where it differs.
 */
export function cohereUsage(usage: unknown): BilledUsage | undefined {
  if (!isObject(usage)) return undefined;
  const tokens = objectAt(usage, 'tokens');
  const billed = objectAt(usage, 'billedUnits');
  const [input, billedInput] = countsOf('inputTokens', tokens, billed);
  const [output, billedOutput] = countsOf('outputTokens', tokens, billed);
  return usageOf({
    inputTokens: input,
    outputTokens: output,
    billedInputTokens: billedInput,
    billedOutputTokens: billedOutput,
    cacheReadTokens: tokenCount(usage['cachedTokens']),
    cacheWriteTokens: undefined,
    reasoningTokens: undefined,
    rerankSearches: tokenCount(billed?.['searchUnits']),
  });
}

/** Processed, and billed where that is another number. */
function countsOf(
  name: string,
  tokens: JsonObject | undefined,
  billed: JsonObject | undefined,
): readonly [processed: number | undefined, billed: number | undefined] {
  const paid = tokenCount(billed?.[name]);
  const processed = tokenCount(tokens?.[name]) ?? paid;
  return [processed, paid === processed ? undefined : paid];
}
