import { fields, isObject } from '../../tokens/json.ts';
import type { BilledUsage } from '../../domain/billed-usage.ts';
import { tokenCount, usageOf } from '../../domain/token-counts.ts';

/**
 * `usage` of API v2 or `meta` of v1 and embed, in the spelling of the SDK (`billedUnits`) or of the API
 * (`billed_units`). `tokens` is what the model processed; the billed units leave out what Cohere adds to
 * the prompt itself and are stored beside where they differ.
 */
export function cohereUsage(usage: unknown): BilledUsage | undefined {
  if (!isObject(usage)) return undefined;
  const tokens = usage['tokens'];
  const billed = spelled(usage, 'billedUnits');
  const [input, billedInput] = countsOf('inputTokens', tokens, billed);
  const [output, billedOutput] = countsOf('outputTokens', tokens, billed);
  return usageOf({
    inputTokens: input,
    outputTokens: output,
    billedInputTokens: billedInput,
    billedOutputTokens: billedOutput,
    cacheReadTokens: tokenCount(spelled(usage, 'cachedTokens')),
    cacheWriteTokens: undefined,
    reasoningTokens: undefined,
    rerankSearches: tokenCount(spelled(billed, 'searchUnits')),
  });
}

/** Processed, and billed where that is another number. */
function countsOf(
  name: string,
  tokens: unknown,
  billed: unknown,
): readonly [processed: number | undefined, billed: number | undefined] {
  const paid = tokenCount(spelled(billed, name));
  const processed = tokenCount(spelled(tokens, name)) ?? paid;
  return [processed, paid === processed ? undefined : paid];
}

function spelled(object: unknown, name: string): unknown {
  const { [name]: found, [snakeCase(name)]: raw } = fields(object);
  return found ?? raw;
}

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
