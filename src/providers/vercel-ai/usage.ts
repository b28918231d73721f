import { isObject, objectAt, type JsonObject } from '../../tokens/json.ts';
import type { TokenUsage } from '../../domain/usage-record.ts';
import { anthropicUsage } from '../anthropic/usage.ts';
import { converseUsage } from '../bedrock/usage.ts';
import { googleUsage } from '../google/usage.ts';
import { outputWithReasoning, plus, tokenCount, usageOf } from '../../domain/token-counts.ts';

const CACHED = /cache/i;
const WRITTEN = /cache.*(?:writ|creat)/i;
const REASONED = /reason|think|thought/i;

/**
 * `usage` of a model's own result: nested counts (model specification v3 and v4) or flat ones (v2).
 * Layers above make 0 of what is not known, so this reads the provider's result, and `raw` in it where
 * even the provider package fills in a 0.
 */
export function modelUsage(usage: unknown, providerMetadata?: unknown): TokenUsage | undefined {
  if (!isObject(usage)) return undefined;
  const input = objectAt(usage, 'inputTokens');
  const output = objectAt(usage, 'outputTokens');
  if (input === undefined && output === undefined) return flatUsage(usage, providerMetadata);
  const raw = usage['raw'];
  // The package leaves calls of other models out (the advisor's).
  if (isAnthropic(raw)) return anthropicUsage(raw);
  const inputTokens = plus(tokenCount(input?.['total']), toolUse(raw));
  const reasoningTokens = reported(output?.['reasoning'], raw, REASONED);
  return usageOf({
    inputTokens,
    outputTokens: outputWithReasoning(
      tokenCount(output?.['total']),
      reasoningTokens,
      inputTokens,
      isObject(raw) ? raw['total_tokens'] : undefined,
    ),
    cacheReadTokens: reported(input?.['cacheRead'], raw, CACHED) ?? cohereCached(raw),
    cacheWriteTokens: reported(input?.['cacheWrite'], raw, WRITTEN),
    reasoningTokens,
  });
}

/**
 * Flat counts, with details beside them in events of the AI SDK. Packages of v2 pass on what the vendor
 * says: Anthropic and Bedrock without cache, Gemini without thoughts, xAI without reasoning.
 */
function flatUsage(usage: JsonObject, providerMetadata: unknown): TokenUsage | undefined {
  const anthropic = objectAt(objectAt(providerMetadata, 'anthropic'), 'usage');
  if (anthropic !== undefined) return anthropicUsage(anthropic);
  const google = objectAt(objectAt(providerMetadata, 'google'), 'usageMetadata');
  if (google !== undefined) return googleUsage(google);
  const { raw } = usage;
  const bedrock = objectAt(objectAt(providerMetadata, 'bedrock'), 'usage');
  if (bedrock !== undefined) {
    return converseUsage({
      ...usage,
      cacheReadInputTokens: usage['cachedInputTokens'],
      cacheWriteInputTokens: bedrock['cacheWriteInputTokens'],
    });
  }
  const input = objectAt(usage, 'inputTokenDetails');
  const output = objectAt(usage, 'outputTokenDetails');
  const inputTokens = tokenCount(usage['inputTokens']);
  const reasoningTokens = reported(
    output?.['reasoningTokens'] ?? usage['reasoningTokens'],
    raw,
    REASONED,
  );
  return usageOf({
    inputTokens,
    outputTokens: outputWithReasoning(
      tokenCount(usage['outputTokens']),
      reasoningTokens,
      inputTokens,
      usage['totalTokens'],
    ),
    cacheReadTokens: reported(
      input?.['cacheReadTokens'] ?? usage['cachedInputTokens'],
      raw,
      CACHED,
    ),
    cacheWriteTokens: reported(input?.['cacheWriteTokens'], raw, WRITTEN),
    reasoningTokens,
  });
}

function isAnthropic(raw: unknown): boolean {
  return isObject(raw) && 'output_tokens' in raw && 'cache_creation_input_tokens' in raw;
}

/** Gemini's interactions: the package leaves it out of the input. */
function toolUse(raw: unknown): number | undefined {
  return isObject(raw) ? tokenCount(raw['total_tool_use_tokens']) : undefined;
}

/** Cohere: the package does not read it. */
function cohereCached(raw: unknown): number | undefined {
  return isObject(raw) ? tokenCount(raw['cached_tokens']) : undefined;
}

/** A 0 counts only where the vendor's own usage has such a field. */
function reported(value: unknown, raw: unknown, field: RegExp): number | undefined {
  const count = tokenCount(value);
  return count === 0 && isObject(raw) && !hasCount(raw, field) ? undefined : count;
}

function hasCount(raw: JsonObject, field: RegExp): boolean {
  return Object.entries(raw).some(([key, value]) =>
    isObject(value) ? hasCount(value, field) : typeof value === 'number' && field.test(key),
  );
}
