import type { ReportedUsage } from '../../domain/reported-usage.ts';
import { groqUsageObject } from '../groq/usage.ts';
import { fields, listOf, present, type JsonObject } from '../../tokens/json.ts';
import { tokenCount, outputWithReasoning } from '../../domain/token-counts.ts';

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

/** `usage` of chat completions, text completions and embeddings. `model`: the one that answered. */
export function chatUsage(reported: unknown, model?: string): ReportedUsage | undefined {
  const usage = usageNamed(reported, CHAT);
  return usage !== undefined && /\bgemini\b/i.test(model ?? '')
    ? withThoughts(usage, tokenCount(fields(reported)['total_tokens']))
    : usage;
}

/** Google's OpenAI endpoint has the thoughts of Gemini in the total alone. */
function withThoughts(usage: ReportedUsage, total: number | undefined): ReportedUsage {
  const { inputTokens, outputTokens, reasoningTokens } = usage;
  if (total === undefined || inputTokens === undefined || outputTokens === undefined) return usage;
  const thoughts = total - inputTokens - outputTokens;
  return thoughts <= 0 || reasoningTokens !== undefined
    ? usage
    : { ...usage, outputTokens: outputTokens + thoughts, reasoningTokens: thoughts };
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
  const inputTokens = tokenCount(usage[names.input]);
  const reasoningTokens = tokenCount(output['reasoning_tokens']);
  return present({
    inputTokens,
    outputTokens: outputWithReasoning(
      tokenCount(usage[names.output]),
      reasoningTokens,
      inputTokens,
      usage['total_tokens'],
    ),
    cacheReadTokens: tokenCount(input['cached_tokens']) ?? cachedOfOthers(usage),
    cacheWriteTokens: tokenCount(input['cache_write_tokens']),
    reasoningTokens,
    audioInputTokens: tokenCount(input['audio_tokens']),
    audioOutputTokens: tokenCount(output['audio_tokens']),
    imageInputTokens: tokenCount(input['image_tokens']),
    imageOutputTokens: tokenCount(output['image_tokens']),
    acceptedPredictionTokens: tokenCount(output['accepted_prediction_tokens']),
    rejectedPredictionTokens: tokenCount(output['rejected_prediction_tokens']),
    // OpenRouter's own web search.
    webSearches: tokenCount(fields(usage['server_tool_use'])['web_search_requests']),
  });
}

/** One xAI tick is a ten-billionth of a dollar (docs.x.ai, read 2026-11). */
const XAI_TICKS_PER_DOLLAR = 1e10;

/**
 * US dollars that the usage itself says: OpenRouter a number, Perplexity an object, xAI in ticks,
 * DeepInfra an estimate. With a key of one's own (BYOK), OpenRouter's number is its fee alone.
 */
export function reportedCost(usage: unknown): number | undefined {
  const given = fields(usage);
  const { cost, cost_in_usd_ticks: ticks, estimated_cost: estimate } = given;
  const dollars = typeof cost === 'object' ? fields(cost)['total_cost'] : cost;
  const inTicks = typeof ticks === 'number' ? ticks / XAI_TICKS_PER_DOLLAR : undefined;
  const reported = amount(dollars ?? inTicks ?? estimate);
  if (reported === undefined || given['is_byok'] !== true) return reported;
  const upstream = amount(fields(given['cost_details'])['upstream_inference_cost']);
  return upstream === undefined ? undefined : reported + upstream;
}

function amount(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined;
}

/** Moonshot, then DeepSeek. */
function cachedOfOthers(usage: JsonObject): number | undefined {
  return tokenCount(usage['cached_tokens']) ?? tokenCount(usage['prompt_cache_hit_tokens']);
}

/** Where the usage of a whole reply or of a chunk stands, on every server that may be behind a base URL. */
export function usageObject(body: JsonObject, streamed: boolean): unknown {
  const usage = groqUsageObject(body, streamed);
  if (usage !== undefined || !streamed) return usage;
  // Moonshot puts it into the choice that ends.
  return fields(listOf(body['choices'])[0])['usage'];
}
