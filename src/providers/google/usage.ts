import { isObject, listOf, objectAt } from '../../tokens/json.ts';
import type { TokenUsage } from '../../domain/usage-record.ts';
import { plus, tokenCount, usageOf } from '../../domain/token-counts.ts';

/**
 * `usageMetadata` of generateContent. Thoughts stand beside the candidates and tool results beside
 * the prompt: both are added. Cached content is part of the prompt.
 */
export function googleUsage(usageMetadata: unknown): TokenUsage | undefined {
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
  });
}

/** `usage` of an interaction; tool use is added like in generateContent. */
export function interactionUsage(interaction: unknown): TokenUsage | undefined {
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
  });
}

/** Embeddings: Gemini reports one count (SDK 3), Vertex one for each embedding. */
export function embeddingUsage(response: unknown): TokenUsage | undefined {
  const whole = tokenCount(objectAt(response, 'usageMetadata')?.['promptTokenCount']);
  if (whole !== undefined) return { inputTokens: whole };
  const embeddings = listOf(isObject(response) ? response['embeddings'] : undefined);
  const counts = embeddings.map((embedding) =>
    tokenCount(objectAt(embedding, 'statistics')?.['tokenCount']),
  );
  if (counts.length === 0 || counts.includes(undefined)) return undefined;
  return { inputTokens: counts.reduce<number>((total, count) => total + (count ?? 0), 0) };
}
