import { isObject, objectAt } from '../../tokens/json.ts';
import type { BilledUsage } from '../../domain/billed-usage.ts';
import { tokenCount, usageOf } from '../../domain/token-counts.ts';

/**
 * `usage` of API v2 or `meta` of v1 and embed. `tokens` is what the model processed; `billedUnits`
 * leaves out what Cohere adds to the prompt itself and is taken only where `tokens` is missing.
 */
export function cohereUsage(usage: unknown): BilledUsage | undefined {
  if (!isObject(usage)) return undefined;
  const tokens = objectAt(usage, 'tokens');
  const billed = objectAt(usage, 'billedUnits');
  return usageOf({
    inputTokens: tokenCount(tokens?.['inputTokens']) ?? tokenCount(billed?.['inputTokens']),
    outputTokens: tokenCount(tokens?.['outputTokens']) ?? tokenCount(billed?.['outputTokens']),
    cacheReadTokens: tokenCount(usage['cachedTokens']),
    cacheWriteTokens: undefined,
    reasoningTokens: undefined,
    rerankSearches: tokenCount(billed?.['searchUnits']),
  });
}
