import { isObject, objectAt, type JsonObject } from '../../tokens/json.ts';
import type { BilledUsage } from '../../domain/billed-usage.ts';
import { plus, tokenCount, usageOf } from '../../domain/token-counts.ts';

/**
 * `usage` as the SDK parses it. JsonObject it does not know stand at the top level in snake case
 * (SDK 2) or under `additionalProperties` (SDK 1). Conversations report connector tokens beside the
 * prompt: they are input too.
 */
export function mistralUsage(usage: unknown): BilledUsage | undefined {
  if (!isObject(usage)) return undefined;
  const all: JsonObject = { ...objectAt(usage, 'additionalProperties'), ...usage };
  const promptDetails =
    objectAt(all, 'prompt_tokens_details') ?? objectAt(all, 'promptTokensDetails');
  const outputDetails =
    objectAt(all, 'completion_tokens_details') ?? objectAt(all, 'completionTokensDetails');
  return usageOf({
    inputTokens: plus(tokenCount(all['promptTokens']), tokenCount(all['connectorTokens'])),
    outputTokens: tokenCount(all['completionTokens']),
    cacheReadTokens:
      tokenCount(promptDetails?.['cached_tokens'] ?? promptDetails?.['cachedTokens']) ??
      tokenCount(all['num_cached_tokens'] ?? all['numCachedTokens']),
    cacheWriteTokens: undefined,
    audioInputSeconds: tokenCount(all['promptAudioSeconds']),
    webSearches: uses(all, 'web_search', 'web_search_premium'),
    codeExecutions: uses(all, 'code_interpreter'),
    generatedImages: uses(all, 'image_generation'),
    reasoningTokens: tokenCount(
      outputDetails?.['reasoning_tokens'] ?? outputDetails?.['reasoningTokens'],
    ),
  });
}

/** Calls of connectors, which are billed beside their tokens. */
function uses(usage: JsonObject, ...connectors: readonly string[]): number | undefined {
  const counts = connectors.flatMap(
    (name) => tokenCount(objectAt(usage, 'connectors')?.[name]) ?? [],
  );
  return counts.length === 0 ? undefined : counts.reduce((sum, count) => sum + count, 0);
}
