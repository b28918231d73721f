import {
  fields,
  isObject,
  listOf,
  objectAt,
  present,
  stringAt,
  type JsonObject,
} from '../../tokens/json.ts';
import type { BilledUsage } from '../../domain/billed-usage.ts';
import { plus, tokenCount, usageOf } from '../../domain/token-counts.ts';

/**
 * `usageMetadata` of generateContent. Thoughts stand beside the candidates and tool results beside
 * the prompt: both are added. Cached content is part of the prompt.
 */
export function googleUsage(usageMetadata: unknown): BilledUsage | undefined {
  if (!isObject(usageMetadata)) return undefined;
  const thoughts = tokenCount(usageMetadata['thoughtsTokenCount']);
  const candidates = tokenCount(usageMetadata['candidatesTokenCount']);
  return usageOf({
    inputTokens: plus(
      tokenCount(usageMetadata['promptTokenCount']),
      tokenCount(usageMetadata['toolUsePromptTokenCount']),
    ),
    // A reply cut off while thinking has thoughts and no candidates: they are its whole output.
    outputTokens: candidates === undefined ? thoughts : plus(candidates, thoughts),
    cacheReadTokens: tokenCount(usageMetadata['cachedContentTokenCount']),
    cacheWriteTokens: undefined,
    reasoningTokens: thoughts,
    ...modalities(usageMetadata),
  });
}

/**
 * The tier that served the request: Gemini names it in a header or in the usage, Vertex in the kind of
 * traffic. Provisioned throughput is paid by the hour.
 */
export function googleTier(usageMetadata: unknown, named?: string): string | undefined {
  const served =
    named ?? stringAt(usageMetadata, 'serviceTier') ?? stringAt(usageMetadata, 'trafficType');
  // `on_demand`, `on_demand_flex`, `on_demand_priority`.
  const tier = served?.toLowerCase().replace(/^on_demand_/, '');
  if (tier?.endsWith('unspecified') === true) return undefined;
  return tier === 'provisioned_throughput' ? 'provisioned' : tier;
}

/** Details by modality; text is what is left. Documents are billed as images are. */
function modalities(usage: JsonObject): BilledUsage {
  const prompt = [
    ...listOf(usage['promptTokensDetails']),
    ...listOf(usage['toolUsePromptTokensDetails']),
  ];
  const cached = listOf(usage['cacheTokensDetails']);
  const output = listOf(usage['candidatesTokensDetails']);
  return present({
    audioInputTokens: tokensOf(prompt, 'AUDIO'),
    imageInputTokens: tokensOf(prompt, 'IMAGE', 'DOCUMENT'),
    videoInputTokens: tokensOf(prompt, 'VIDEO'),
    audioCacheReadTokens: tokensOf(cached, 'AUDIO'),
    imageCacheReadTokens: tokensOf(cached, 'IMAGE', 'DOCUMENT'),
    videoCacheReadTokens: tokensOf(cached, 'VIDEO'),
    audioOutputTokens: tokensOf(output, 'AUDIO'),
    imageOutputTokens: tokensOf(output, 'IMAGE'),
    videoOutputTokens: tokensOf(output, 'VIDEO'),
  });
}

function tokensOf(details: readonly unknown[], ...wanted: readonly string[]): number | undefined {
  const counts = details
    .filter((detail) => wanted.includes(stringAt(detail, 'modality') ?? ''))
    .map((detail) => tokenCount(fields(detail)['tokenCount']) ?? 0);
  return counts.length === 0 ? undefined : counts.reduce((sum, tokens) => sum + tokens, 0);
}

/** `usage` of an interaction; tool use is added like in generateContent. */
export function interactionUsage(interaction: unknown): BilledUsage | undefined {
  if (!isObject(interaction)) return undefined;
  const thoughts = tokenCount(interaction['total_thought_tokens']);
  return usageOf({
    inputTokens: plus(
      tokenCount(interaction['total_input_tokens']),
      tokenCount(interaction['total_tool_use_tokens']),
    ),
    outputTokens: plus(tokenCount(interaction['total_output_tokens']), thoughts),
    cacheReadTokens: tokenCount(interaction['total_cached_tokens']),
    cacheWriteTokens: undefined,
    reasoningTokens: thoughts,
    ...interactionModalities(interaction),
    webSearches: groundings(interaction, 'google_search'),
    mapSearches: groundings(interaction, 'google_maps'),
  });
}

function interactionModalities(usage: JsonObject): BilledUsage {
  const named = (...lists: readonly string[]): readonly unknown[] =>
    lists
      .flatMap((list) => listOf(usage[list]))
      .map((entry) => ({
        modality: stringAt(entry, 'modality')?.toUpperCase(),
        tokenCount: fields(entry)['tokens'],
      }));
  return modalities({
    promptTokensDetails: named('input_tokens_by_modality', 'tool_use_tokens_by_modality'),
    cacheTokensDetails: named('cached_tokens_by_modality'),
    candidatesTokensDetails: named('output_tokens_by_modality'),
  });
}

function groundings(usage: JsonObject, type: string): number | undefined {
  const counts = listOf(usage['grounding_tool_count'])
    .filter((entry) => stringAt(entry, 'type') === type)
    .map((entry) => tokenCount(fields(entry)['count']) ?? 0);
  return counts.length === 0 ? undefined : counts.reduce((sum, count) => sum + count, 0);
}

/** Embeddings: Gemini reports one count (SDK 3), Vertex one for each embedding. */
export function embeddingUsage(response: unknown): BilledUsage | undefined {
  const whole = tokenCount(objectAt(response, 'usageMetadata')?.['promptTokenCount']);
  if (whole !== undefined) return { inputTokens: whole };
  const embeddings = listOf(isObject(response) ? response['embeddings'] : undefined);
  const counts = embeddings.map((embedding) =>
    tokenCount(objectAt(embedding, 'statistics')?.['tokenCount']),
  );
  if (counts.length === 0 || counts.includes(undefined)) return undefined;
  return { inputTokens: counts.reduce<number>((total, count) => total + (count ?? 0), 0) };
}
