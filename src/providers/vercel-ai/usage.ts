import { isObject, objectAt } from '../../tokens/json-shape.ts';
import type { TokenUsage } from '../../usage/usage-record.ts';
import { tokenCount, usageOf } from '../token-counts.ts';

/**
 * `usage` of a provider of the AI SDK: nested counts (model specification v3 and v4) or flat ones
 * (v2). The layer above turns "not usage" into 0 for cached and reasoning tokens, so this reads
 * the provider's own result, where they stay undefined.
 */
export function modelUsage(usage: unknown): TokenUsage | undefined {
  if (!isObject(usage)) return undefined;
  const input = objectAt(usage, 'inputTokens');
  const output = objectAt(usage, 'outputTokens');
  return usageOf({
    inputTokens: tokenCount(input?.['total'] ?? usage['inputTokens']),
    outputTokens: tokenCount(output?.['total'] ?? usage['outputTokens']),
    cacheReadTokens: tokenCount(input?.['cacheRead'] ?? usage['cachedInputTokens']),
    cacheWriteTokens: tokenCount(input?.['cacheWrite']),
    reasoningTokens: tokenCount(output?.['reasoning'] ?? usage['reasoningTokens']),
  });
}
