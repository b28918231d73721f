import { isObject } from '../../tokens/json.ts';
import type { TokenUsage } from '../../domain/usage-record.ts';
import { tokenCount, usageOf } from '../../domain/token-counts.ts';

/**
 * Counts of the closing line. Old servers leave the prompt count out, or send 0, when the prompt is
 * in their cache (ollama #2068, #3427): a prompt is never empty, so 0 says nothing.
 */
export function ollamaUsage(reply: unknown): TokenUsage | undefined {
  if (!isObject(reply)) return undefined;
  return usageOf({
    inputTokens: tokenCount(reply['prompt_eval_count']) || undefined,
    outputTokens: tokenCount(reply['eval_count']),
    cacheReadTokens: tokenCount(reply['prompt_eval_cached_count']),
    cacheWriteTokens: undefined,
    reasoningTokens: undefined,
  });
}
