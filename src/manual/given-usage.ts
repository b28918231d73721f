import type { ReportedUsage } from '../providers/provider.ts';
import { chatUsage, responsesUsage } from '../providers/openai/usage.ts';
import { fields, present } from '../providers/reading.ts';
import { tokenCount } from '../providers/token-counts.ts';

/**
 * Usage in the names of this package (`inputTokens`, `outputTokens` …, as AI SDK has them too), of chat
 * completions (`prompt_tokens` …) or of responses (`input_tokens` …). Undefined when it is none of them.
 */
export function givenUsage(given: unknown): ReportedUsage | undefined {
  const usage = fields(given);
  if ('prompt_tokens' in usage || 'completion_tokens' in usage) return chatUsage(usage);
  if ('input_tokens' in usage || 'output_tokens' in usage) return responsesUsage(usage);
  const own = present({
    inputTokens: tokenCount(usage['inputTokens']),
    outputTokens: tokenCount(usage['outputTokens']),
    cacheReadTokens: tokenCount(usage['cacheReadTokens']),
    cacheWriteTokens: tokenCount(usage['cacheWriteTokens']),
    reasoningTokens: tokenCount(usage['reasoningTokens']),
  });
  return Object.keys(own).length === 0 ? undefined : own;
}
