import type { ReportedUsage } from '../provider.ts';
import { count, fields, present } from '../reading.ts';

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
  return present({
    inputTokens: count(usage[names.input]),
    outputTokens: count(usage[names.output]),
    cacheReadTokens: count(input['cached_tokens']),
    cacheWriteTokens: count(input['cache_write_tokens']),
    reasoningTokens: count(output['reasoning_tokens']),
    audioInputTokens: count(input['audio_tokens']),
    audioOutputTokens: count(output['audio_tokens']),
    imageInputTokens: count(input['image_tokens']),
    imageOutputTokens: count(output['image_tokens']),
  });
}
