import { fields, isObject, listOf, present, stringAt, type JsonObject } from '../../tokens/json.ts';
import type { BilledUsage } from '../../domain/billed-usage.ts';
import { plus, tokenCount, usageOf } from '../../domain/token-counts.ts';

/** `usage` of Converse and of the metadata event of ConverseStream. */
export function converseUsage(usage: unknown): BilledUsage | undefined {
  if (!isObject(usage)) return undefined;
  return usageOf({
    inputTokens: converseInput(usage),
    outputTokens: tokenCount(usage['outputTokens']),
    cacheReadTokens: tokenCount(usage['cacheReadInputTokens']),
    cacheWriteTokens: tokenCount(usage['cacheWriteInputTokens']),
    cacheWrite1hTokens: writtenForAnHour(usage),
    reasoningTokens: undefined,
  });
}

/** The tier that served the request. Latency-optimised inference has separate prices. */
export function converseTier(reply: JsonObject): string | undefined {
  const isFast = stringAt(reply['performanceConfig'], 'latency') === 'optimized';
  return isFast ? 'optimized_latency' : stringAt(reply['serviceTier'], 'type');
}

/** Tools that Amazon runs for Nova: `nova_grounding` is billed by the use, which no usage says. */
export function systemToolUses(names: readonly string[]): BilledUsage {
  const count = (pattern: RegExp): number | undefined =>
    names.filter((name) => pattern.test(name)).length || undefined;
  return present({ webSearches: count(/grounding/), codeExecutions: count(/code_interpreter/) });
}

/** Cache writes by lifetime. */
function writtenForAnHour(usage: JsonObject): number | undefined {
  const writes = listOf(usage['cacheDetails'])
    .filter((detail) => stringAt(detail, 'ttl') === '1h')
    .map((detail) => tokenCount(fields(detail)['inputTokens']) ?? 0);
  return writes.length === 0 ? undefined : writes.reduce((sum, tokens) => sum + tokens, 0);
}

/**
 * Most models report cache beside the input, some inside it. The total tells which: when it fits
 * the input alone, the cache is inside.
 */
function converseInput(usage: JsonObject): number | undefined {
  const input = tokenCount(usage['inputTokens']);
  const apart = plus(
    input,
    tokenCount(usage['cacheReadInputTokens']),
    tokenCount(usage['cacheWriteInputTokens']),
  );
  const total = tokenCount(usage['totalTokens']);
  const output = tokenCount(usage['outputTokens']);
  const inside = total !== undefined && output !== undefined && total - output === input;
  // Cache larger than the input cannot be a part of it, whatever the total says.
  const cached = plus(apart, input === undefined ? undefined : -input) ?? 0;
  return inside && input !== undefined && cached <= input ? input : apart;
}

/** `amazon-bedrock-invocationMetrics` of the last chunk of InvokeModelWithResponseStream. */
export function invocationMetrics(metrics: unknown): BilledUsage | undefined {
  if (!isObject(metrics)) return undefined;
  const cacheRead = tokenCount(metrics['cacheReadInputTokenCount']);
  const cacheWrite = tokenCount(metrics['cacheWriteInputTokenCount']);
  return usageOf({
    inputTokens: plus(tokenCount(metrics['inputTokenCount']), cacheRead, cacheWrite),
    outputTokens: tokenCount(metrics['outputTokenCount']),
    cacheReadTokens: cacheRead,
    cacheWriteTokens: cacheWrite,
    reasoningTokens: undefined,
  });
}

/** Token counts in the response headers of InvokeModel. */
export function headerUsage(headers: unknown): BilledUsage | undefined {
  const count = (name: string): number | undefined => {
    const value = stringAt(headers, `x-amzn-bedrock-${name}-token-count`);
    return value !== undefined && /^\d+$/.test(value) ? tokenCount(Number(value)) : undefined;
  };
  const cacheRead = count('cache-read-input');
  const cacheWrite = count('cache-write-input');
  return usageOf({
    inputTokens: plus(count('input'), cacheRead, cacheWrite),
    outputTokens: count('output'),
    cacheReadTokens: cacheRead,
    cacheWriteTokens: cacheWrite,
    reasoningTokens: undefined,
  });
}
