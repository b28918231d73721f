import { fields, isObject, present } from '../../tokens/json.ts';
import type { BilledUsage } from '../../domain/billed-usage.ts';
import { plus, tokenCount, usageOf } from '../../domain/token-counts.ts';

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
    pages: tokenCount(spelled(billed, 'pages')),
  });
}

/** `meta` of embeddings: tokens of images stand beside those of the texts. */
export function cohereEmbedUsage(meta: unknown): BilledUsage | undefined {
  const images = tokenCount(spelled(spelled(meta, 'billedUnits'), 'imageTokens'));
  const { inputTokens: texts, billedInputTokens } = cohereUsage(meta) ?? {};
  const inputTokens = images === undefined ? texts : (texts ?? 0) + images;
  return inputTokens === undefined
    ? undefined
    : present({
        inputTokens,
        billedInputTokens: plus(billedInputTokens, images),
        imageInputTokens: images,
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
