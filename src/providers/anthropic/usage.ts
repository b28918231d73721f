import { isObject, listOf, objectAt, stringAt, type JsonObject } from '../../tokens/json.ts';
import type { BilledUsage } from '../../domain/billed-usage.ts';
import { INFERENCE_REGION } from '../../domain/inference-region.ts';
import { plus, tokenCount, usageOf } from '../../domain/token-counts.ts';

/**
 * `usage` of a message. Anthropic reports cache reads and writes beside `input_tokens`: they are
 * added. Compaction and the advisor's own calls are billed but left out of the top level
 * (`usage.iterations`, beta): they are added, so that the record says what is paid.
 */
export function anthropicUsage(usage: unknown): BilledUsage | undefined {
  if (!isObject(usage)) return undefined;
  const extra = extraIterations(usage);
  return usageOf({
    inputTokens: plus(inputTokens(usage), ...extra.map(inputTokens)),
    outputTokens: plus(
      tokenCount(usage['output_tokens']),
      ...extra.map((entry) => tokenCount(entry['output_tokens'])),
    ),
    cacheReadTokens: sum([usage, ...extra], 'cache_read_input_tokens'),
    cacheWriteTokens: sum([usage, ...extra], 'cache_creation_input_tokens'),
    cacheWrite1hTokens: tokenCount(
      objectAt(usage, 'cache_creation')?.['ephemeral_1h_input_tokens'],
    ),
    reasoningTokens: tokenCount(objectAt(usage, 'output_tokens_details')?.['thinking_tokens']),
    webSearches: tokenCount(objectAt(usage, 'server_tool_use')?.['web_search_requests']),
    codeExecutions: tokenCount(objectAt(usage, 'server_tool_use')?.['code_execution_requests']),
  });
}

/** The tier that served the message: `standard`, `priority` or `batch`; fast mode has prices of its own. */
export function anthropicTier(usage: unknown): string | undefined {
  return stringAt(usage, 'speed') === 'fast' ? 'fast' : stringAt(usage, 'service_tier');
}

/** The region that served the message, where it was not any. */
export function anthropicRegion(usage: unknown): Record<string, string> | undefined {
  const region = stringAt(usage, 'inference_geo');
  return region === undefined || NO_REGION.has(region) ? undefined : { [INFERENCE_REGION]: region };
}

const NO_REGION = new Set(['', 'global', 'not_available']);

/** Stream usage is cumulative: what an event reports replaces what was known, null says nothing. */
export function mergeAnthropicUsage(known: JsonObject, update: unknown): JsonObject {
  const reported = Object.entries(isObject(update) ? update : {}).filter(
    ([, value]) => value !== null,
  );
  return { ...known, ...Object.fromEntries(reported) };
}

function inputTokens(usage: JsonObject): number | undefined {
  return plus(
    tokenCount(usage['input_tokens']),
    tokenCount(usage['cache_read_input_tokens']),
    tokenCount(usage['cache_creation_input_tokens']),
  );
}

function sum(usages: readonly JsonObject[], field: string): number | undefined {
  const counts = usages.map((usage) => tokenCount(usage[field])).filter((n) => n !== undefined);
  return counts.length === 0 ? undefined : counts.reduce((total, count) => total + count, 0);
}

const EXTRA: readonly unknown[] = ['compaction', 'advisor_message'];

function extraIterations(usage: JsonObject): readonly JsonObject[] {
  return listOf(usage['iterations']).filter(
    (entry): entry is JsonObject => isObject(entry) && EXTRA.includes(entry['type']),
  );
}
