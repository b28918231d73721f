/** A part of a long text that can be counted separately. */
export interface TextChunk {
  readonly text: string;
  /** Whether the counts of this chunk and the following text add up exactly. */
  readonly exactCut: boolean;
}

const TARGET = 1 << 20;
const LIMIT = 8 << 20;

const LETTER = /[\p{L}]/u;
const LETTER_OR_DIGIT = /[\p{L}\p{N}]/u;
const WHITESPACE = /\s/;
const CJK_PUNCTUATION = /[，。！？；：、]/;

/**
 * Splits a stream of text where every tokenizer starts a new word: before the letter after a single
 * line break, before a single space between two letters, before Chinese punctuation between
 * letters. The counts of the chunks therefore add up to the count of the whole text, in constant
 * memory. Text without such a position for 8 M characters is split anyway and marked.
 */
export async function* textChunks(source: AsyncIterable<string>): AsyncGenerator<TextChunk> {
  let rest = '';
  for await (const piece of source) {
    rest += piece;
    while (rest.length >= TARGET) {
      let cut = lastSafeCut(rest);
      const exactCut = cut > 0;
      if (!exactCut) {
        if (rest.length < LIMIT) break;
        // Not within a surrogate pair.
        cut = /[\ud800-\udbff]/.test(rest.charAt(LIMIT - 1)) ? LIMIT - 1 : LIMIT;
      }
      yield { text: rest.slice(0, cut), exactCut };
      rest = rest.slice(cut);
    }
  }
  if (rest !== '') yield { text: rest, exactCut: true };
}

/** 0 when there is no position. */
export function lastSafeCut(text: string): number {
  for (let at = text.length - 2; at > 0; at--) {
    const before = text.charAt(at - 1);
    const here = text.charAt(at);
    const after = text.charAt(at + 1);
    if (here === '\n' && !WHITESPACE.test(before) && LETTER_OR_DIGIT.test(after)) return at + 1;
    if (here === ' ' || CJK_PUNCTUATION.test(here)) {
      if (LETTER.test(before) && LETTER.test(after)) return at;
    }
  }
  return 0;
}
