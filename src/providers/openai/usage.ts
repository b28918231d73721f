import type { ReportedUsage } from '../provider.ts';
import { groqUsageObject } from '../groq/usage.ts';
import { listOf } from '../../tokens/json-shape.ts';
import { wholeOutput } from '../token-counts.ts';
import { count, fields, present, type Fields } from '../reading.ts';

interface Names {
  readonly input: string;
  readonly output: string;
  readonly inputDetails: string;
  readonly outputDetails: string;
}

const CHAT: Names = {
  input: 'prompt_tokens',
  output: 'completion_tokens',
  inputDetails: 'prompt_tokens_details',
  outputDetails: 'completion_tokens_details',
};
const RESPONSES: Names = {
  input: 'input_tokens',
  output: 'output_tokens',
  inputDetails: 'input_tokens_details',
  outputDetails: 'output_tokens_details',
};

/** `usage` of chat completions, text completions and embeddings. */
export function chatUsage(reported: unknown): ReportedUsage | undefined {
  return usageNamed(reported, CHAT);
}

/** `usage` of the Responses API. */
export function responsesUsage(reported: unknown): ReportedUsage | undefined {
  return usageNamed(reported, RESPONSES);
}

function usageNamed(reported: unknown, names: Names): ReportedUsage | undefined {
  if (typeof reported !== 'object' || reported === null) return undefined;
  const usage = fields(reported);
  const input = fields(usage[names.inputDetails]);
  const output = fields(usage[names.outputDetails]);
  const inputTokens = count(usage[names.input]);
  const reasoningTokens = count(output['reasoning_tokens']);
  return present({
    inputTokens,
    outputTokens: wholeOutput(
      count(usage[names.output]),
      reasoningTokens,
      inputTokens,
      usage['total_tokens'],
    ),
    cacheReadTokens: count(input['cached_tokens']) ?? cachedOfOthers(usage),
    cacheWriteTokens: count(input['cache_write_tokens']),
    reasoningTokens,
    audioInputTokens: count(input['audio_tokens']),
    audioOutputTokens: count(output['audio_tokens']),
    imageInputTokens: count(input['image_tokens']),
    imageOutputTokens: count(output['image_tokens']),
  });
}

/** Moonshot, then DeepSeek. */
function cachedOfOthers(usage: Fields): number | undefined {
  return count(usage['cached_tokens']) ?? count(usage['prompt_cache_hit_tokens']);
}

/** Where the usage of a whole reply or of a chunk stands, on every server that may be behind a base URL. */
export function usageObject(body: Fields, streamed: boolean): unknown {
  const usage = groqUsageObject(body, streamed);
  if (usage !== undefined || !streamed) return usage;
  // Moonshot puts it into the choice that ends.
  return fields(listOf(body['choices'])[0])['usage'];
}
