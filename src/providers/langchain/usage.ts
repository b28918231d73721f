import { isObject, objectAt, present } from '../../tokens/json.ts';
import { anthropicUsage } from '../anthropic/usage.ts';
import type { BilledUsage } from '../../domain/billed-usage.ts';
import { tokenCount, usageOf } from '../../domain/token-counts.ts';

/** `usage_metadata` of a message: input with cache, output with reasoning. */
export function messageUsage(usageMetadata: unknown): BilledUsage | undefined {
  if (!isObject(usageMetadata)) return undefined;
  const input = objectAt(usageMetadata, 'input_token_details');
  const output = objectAt(usageMetadata, 'output_token_details');
  return usageOf({
    inputTokens: tokenCount(usageMetadata['input_tokens']),
    outputTokens: tokenCount(usageMetadata['output_tokens']),
    cacheReadTokens: tokenCount(input?.['cache_read']),
    cacheWriteTokens: tokenCount(input?.['cache_creation']),
    reasoningTokens: tokenCount(output?.['reasoning']),
    audioInputTokens: tokenCount(input?.['audio']),
    imageInputTokens: tokenCount(input?.['image']),
    videoInputTokens: tokenCount(input?.['video']),
    audioOutputTokens: tokenCount(output?.['audio']),
    imageOutputTokens: tokenCount(output?.['image']),
  });
}

/** What usage metadata leave out of the usage of Anthropic, which stands beside them. */
export function extrasOf(vendorUsage: unknown): BilledUsage {
  const { cacheWrite1hTokens, webSearches, codeExecutions } = anthropicUsage(vendorUsage) ?? {};
  return present({ cacheWrite1hTokens, webSearches, codeExecutions });
}

/** `llmOutput`, where the usage of several choices stands. */
export function outputUsage(llmOutput: unknown): BilledUsage | undefined {
  const usage = objectAt(llmOutput, 'tokenUsage') ?? objectAt(llmOutput, 'estimatedTokenUsage');
  return usageOf({
    inputTokens: tokenCount(usage?.['promptTokens']),
    outputTokens: tokenCount(usage?.['completionTokens']),
    cacheReadTokens: undefined,
    cacheWriteTokens: undefined,
    reasoningTokens: undefined,
  });
}
