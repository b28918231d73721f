import { counterFor, messageCounterFor, qualityOfEncoding } from './encodings.ts';
import { profileOfModel } from './models.ts';
import type { Tally, TokenCount } from './tally.ts';
import { estimateTokens } from './text-weights.ts';

/**
 * Tokens of `text` in the vocabulary of `model` (default: the newest OpenAI vocabulary), estimated
 * where that is not at hand. The text
 * is treated as user text: no framing, no special tokens.
 *
 * @throws {TypeError} when `text` is not a string. Nothing else throws.
 */
export function countTokens(text: string, model?: string): number {
  if (typeof text !== 'string') {
    throw new TypeError(`Expected \`text\` to be a string, got ${typeof text}`);
  }
  const { encoding, estimated } = profileOfModel(model);
  const tokens = counterFor(encoding).count(text);
  return estimated === undefined ? tokens : Math.round(estimateTokens(text, tokens, estimated));
}

/** Counts the contents of a tally synchronously. */
export function countTallied(tally: Tally): TokenCount {
  const counter = messageCounterFor(tally.encoding);
  const counts = tally.texts.map(({ text }) => counter.count(text));
  return tally.total(counts, qualityOfEncoding(tally.encoding));
}
