import {
  isObject,
  listOf,
  objectAt,
  present,
  stringAt,
  type JsonObject,
} from '../../tokens/json.ts';
import { ADVISOR_MODEL, type BilledUsage } from '../../domain/billed-usage.ts';
import { INFERENCE_REGION } from '../../domain/inference-region.ts';
import { plus, tokenCount, usageOf } from '../../domain/token-counts.ts';

/**
 * `usage` of a message. Anthropic reports cache reads and writes beside `input_tokens`: they are
 * added. Compaction and the calls of the advisor, another model, are billed but left out of the top level
 * (`usage.iterations`, beta): they are added, so that the record says what is paid.
 */
export function anthropicUsage(usage: unknown): BilledUsage | undefined {
  if (!isObject(usage)) return undefined;
  const extra = iterations(usage, ['compaction', 'advisor_message']);
  return usageOf({
    inputTokens: plus(inputTokens(usage), ...extra.map(inputTokens)),
    outputTokens: plus(
      tokenCount(usage['output_tokens']),
      ...extra.map((entry) => tokenCount(entry['output_tokens'])),
    ),
    cacheReadTokens: sum([usage, ...extra], 'cache_read_input_tokens'),
    cacheWriteTokens: sum([usage, ...extra], 'cache_creation_input_tokens'),
    cacheWrite1hTokens: sumOf([usage, ...extra], keptForAnHour),
    reasoningTokens: tokenCount(objectAt(usage, 'output_tokens_details')?.['thinking_tokens']),
    webSearches: tokenCount(objectAt(usage, 'server_tool_use')?.['web_search_requests']),
    codeExecutions: tokenCount(objectAt(usage, 'server_tool_use')?.['code_execution_requests']),
    ...advisorUsage(iterations(usage, ['advisor_message'])),
  });
}

function advisorUsage(calls: readonly JsonObject[]): BilledUsage {
  if (calls.length === 0) return {};
  return present({
    advisorInputTokens: sumOf(calls, inputTokens),
    advisorCacheReadTokens: sum(calls, 'cache_read_input_tokens'),
    advisorCacheWriteTokens: sum(calls, 'cache_creation_input_tokens'),
    advisorCacheWrite1hTokens: sumOf(calls, keptForAnHour),
    advisorOutputTokens: sum(calls, 'output_tokens'),
  });
}

function keptForAnHour(usage: JsonObject): number | undefined {
  return tokenCount(objectAt(usage, 'cache_creation')?.['ephemeral_1h_input_tokens']);
}

/** The tier that served the message: `standard`, `priority` or `batch`; fast mode has prices of its own. */
export function anthropicTier(usage: unknown): string | undefined {
  return stringAt(usage, 'speed') === 'fast' ? 'fast' : stringAt(usage, 'service_tier');
}

/** What the price depends on: the region that served the message, where it was not any, and the advisor's model. */
export function anthropicAttributes(usage: unknown): Record<string, string> | undefined {
  if (!isObject(usage)) return undefined;
  const region = stringAt(usage, 'inference_geo');
  const advisors = new Set(
    iterations(usage, ['advisor_message']).map((entry) => stringAt(entry, 'model')),
  );
  // Of several, none could be recognised in the sums.
  const [advisor] = advisors.size === 1 ? advisors : [];
  const attributes = present({
    [INFERENCE_REGION]: region === undefined || NO_REGION.has(region) ? undefined : region,
    [ADVISOR_MODEL]: advisor,
  });
  return Object.keys(attributes).length === 0 ? undefined : attributes;
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
  return sumOf(usages, (usage) => tokenCount(usage[field]));
}

function sumOf(
  usages: readonly JsonObject[],
  countOf: (usage: JsonObject) => number | undefined,
): number | undefined {
  const counts = usages.map(countOf).filter((n) => n !== undefined);
  return counts.length === 0 ? undefined : counts.reduce((total, count) => total + count, 0);
}

function iterations(usage: JsonObject, types: readonly unknown[]): readonly JsonObject[] {
  return listOf(usage['iterations']).filter(
    (entry): entry is JsonObject => isObject(entry) && types.includes(entry['type']),
  );
}
