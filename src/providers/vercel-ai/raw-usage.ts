import type { BilledUsage } from '../../domain/billed-usage.ts';
import type { TokenUsage } from '../../domain/usage-record.ts';
import { isObject, type JsonObject } from '../../tokens/json.ts';
import { anthropicUsage } from '../anthropic/usage.ts';
import { googleUsage } from '../google/usage.ts';
import { chatUsage, responsesUsage } from '../openai/usage.ts';

type Extras = Omit<BilledUsage, keyof TokenUsage>;

/**
 * The kinds beyond the token counts, from the vendor's usage object that provider packages pass on as
 * `raw`. The counts themselves are read from the package's own fields, which are normalised.
 */
export function extrasOfRaw(raw: unknown): Extras {
  if (!isObject(raw)) return {};
  const {
    inputTokens: _input,
    outputTokens: _output,
    cacheReadTokens: _read,
    cacheWriteTokens: _written,
    reasoningTokens: _reasoning,
    ...extras
  } = vendorUsage(raw) ?? {};
  return extras;
}

/** Each vendor's object has a field that no other has. */
function vendorUsage(raw: JsonObject): BilledUsage | undefined {
  if ('promptTokenCount' in raw) return googleUsage(raw);
  if ('cache_creation_input_tokens' in raw || 'cache_creation' in raw) return anthropicUsage(raw);
  if ('prompt_tokens' in raw) return chatUsage(raw);
  return 'input_tokens_details' in raw ? responsesUsage(raw) : undefined;
}
