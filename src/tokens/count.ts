import { counterFor, messageCounterFor, qualityOfEncoding } from './encodings.ts';
import { profileOfModel } from './models.ts';
import type { Tally, TokenCount } from './tally.ts';

/**
 * Tokens of `text` in the vocabulary of `model` (default: the newest OpenAI vocabulary). The text
 * is taken as a user's text: no framing, no special tokens.
 *
 * @throws {TypeError} when `text` is not a string; for no other reason.
 */
export function countTokens(text: string, model?: string): number {
  if (typeof text !== 'string') {
    throw new TypeError(`Expected \`text\` to be a string, got ${typeof text}`);
  }
  return counterFor(profileOfModel(model).encoding).count(text);
}

/** Counts what a tally collected, at once. */
export function countTallied(tally: Tally): TokenCount {
  const counter = messageCounterFor(tally.encoding);
  const counts = tally.texts.map(({ text }) => counter.count(text));
  return tally.total(counts, qualityOfEncoding(tally.encoding));
}
