import type { ReportedUsage } from '../provider.ts';
import { count, fields, present } from '../reading.ts';

/** `usage` of chat completions, text completions and embeddings. */
export function chatUsage(reported: unknown): ReportedUsage | undefined {
  if (typeof reported !== 'object' || reported === null) return undefined;
  const usage = fields(reported);
  const input = fields(usage['prompt_tokens_details']);
  const output = fields(usage['completion_tokens_details']);
  return present({
    inputTokens: count(usage['prompt_tokens']),
    outputTokens: count(usage['completion_tokens']),
    cacheReadTokens: count(input['cached_tokens']),
    cacheWriteTokens: count(input['cache_write_tokens']),
    reasoningTokens: count(output['reasoning_tokens']),
    audioInputTokens: count(input['audio_tokens']),
    audioOutputTokens: count(output['audio_tokens']),
    imageInputTokens: count(input['image_tokens']),
    imageOutputTokens: count(output['image_tokens']),
  });
}

/** `usage` of the Responses API. */
export function responsesUsage(reported: unknown): ReportedUsage | undefined {
  if (typeof reported !== 'object' || reported === null) return undefined;
  const usage = fields(reported);
  const input = fields(usage['input_tokens_details']);
  const output = fields(usage['output_tokens_details']);
  return present({
    inputTokens: count(usage['input_tokens']),
    outputTokens: count(usage['output_tokens']),
    cacheReadTokens: count(input['cached_tokens']),
    cacheWriteTokens: count(input['cache_write_tokens']),
    reasoningTokens: count(output['reasoning_tokens']),
    audioInputTokens: count(input['audio_tokens']),
    audioOutputTokens: count(output['audio_tokens']),
    imageInputTokens: count(input['image_tokens']),
    imageOutputTokens: count(output['image_tokens']),
  });
}
