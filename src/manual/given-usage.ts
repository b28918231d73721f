import { anthropicUsage } from '../providers/anthropic/usage.ts';
import { chatUsage, responsesUsage } from '../providers/openai/usage.ts';
import type { ReportedUsage } from '../domain/reported-usage.ts';
import { fields, present } from '../tokens/json.ts';
import { tokenCount } from '../domain/token-counts.ts';
import { modelUsage } from '../providers/vercel-ai/usage.ts';

/**
 * Usage in the names of this package (`inputTokens` …), of the AI SDK (`cachedInputTokens` …), of chat
 * completions (`prompt_tokens` …), of Anthropic's messages (`cache_read_input_tokens` …) or of responses
 * (`input_tokens` …). Undefined when it is none of them.
 */
export function givenUsage(given: unknown): ReportedUsage | undefined {
  const usage = fields(given);
  if ('prompt_tokens' in usage || 'completion_tokens' in usage) return chatUsage(usage);
  if ('cache_read_input_tokens' in usage || 'cache_creation_input_tokens' in usage) {
    return anthropicUsage(usage);
  }
  if ('input_tokens' in usage || 'output_tokens' in usage) return responsesUsage(usage);
  const known = {
    ...modelUsage(usage),
    ...present({
      cacheReadTokens: tokenCount(usage['cacheReadTokens']),
      cacheWriteTokens: tokenCount(usage['cacheWriteTokens']),
    }),
  };
  return Object.keys(known).length === 0 ? undefined : known;
}
