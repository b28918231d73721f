import type { Splitter } from '../tables.ts';
import {
  after,
  behindLastNewline,
  isLetter,
  isNewline,
  L,
  M,
  N,
  S,
  U,
  X,
  type CharacterClasses,
} from './classes.ts';
import { deepseekPiece } from './split-deepseek.ts';

/** End of the piece that starts at `p`. */
export type NextPiece = (text: string, p: number) => number;

/**
 * Hand-written matchers for the pre-tokenizer regular expressions. Runs are greedy; where the
 * expression would backtrack, the result is computed directly.
 */
export function createSplitter(classes: CharacterClasses, options: Splitter): NextPiece {
  const { kind, maxDigits, contractions, slashTail } = options;

  /** o200k: words split at capitals; a contraction belongs to its word. */
  function cased(text: string, p: number): number {
    const c = classes.at(text, p);
    if ((c & N) !== 0) return digits(text, p);
    if (!isNewline(text, p)) {
      // Prefix of a word; a mark may also be part of the word.
      const first = isLetter(c) ? p : after(text, p);
      const starts = (c & M) !== 0 ? [first, p] : [first];
      for (const word of [upperThenLower, upperOnly]) {
        for (const start of starts) {
          const end = word(text, start);
          if (end !== undefined) return contraction(text, end, true);
        }
      }
    }
    return symbolsOrSpace(text, p);
  }

  /** `upper* lower+` */
  function upperThenLower(text: string, start: number): number | undefined {
    let end = start;
    let caseless: number | undefined;
    let c = classes.at(text, end);
    while ((c & (U | X)) !== 0) {
      end = after(text, end);
      if ((c & X) !== 0) caseless = end;
      c = classes.at(text, end);
    }
    // Without a following lower case letter the run backtracks to its last caseless character.
    return (c & L) !== 0 ? classes.runOf(text, end, L | X) : caseless;
  }

  /** `upper+ lower*`, tried when the other one failed. */
  function upperOnly(text: string, start: number): number | undefined {
    const end = classes.runOf(text, start, U | X);
    return end > start ? classes.runOf(text, end, L | X) : undefined;
  }

  /** cl100k: a word is a run of letters; a contraction is a separate piece. */
  function plain(text: string, p: number): number {
    const contracted = contraction(text, p, true);
    if (contracted > p) return contracted;
    const c = classes.at(text, p);
    if ((c & N) !== 0) return digits(text, p);
    if (!isNewline(text, p)) {
      const start = isLetter(c) ? p : after(text, p);
      const end = classes.runOfLetters(text, start);
      if (end > start) return end;
    }
    return symbolsOrSpace(text, p);
  }

  /** p50k, r50k. */
  function gpt2(text: string, p: number): number {
    const contracted = contraction(text, p, false);
    if (contracted > p) return contracted;
    const start = text[p] === ' ' ? p + 1 : p;
    let end = classes.runOfLetters(text, start);
    if (end === start) end = classes.runOf(text, start, N);
    if (end === start) end = classes.runOfSymbols(text, start);
    return end > start ? end : space(text, p, false);
  }

  function digits(text: string, p: number): number {
    let end = p;
    for (let i = 0; i < maxDigits && (classes.at(text, end) & N) !== 0; i++) end = after(text, end);
    return end;
  }

  function symbolsOrSpace(text: string, p: number): number {
    const start = text[p] === ' ' ? p + 1 : p;
    let end = classes.runOfSymbols(text, start);
    if (end === start) return space(text, p, true);
    while (isNewline(text, end) || (slashTail && text[end] === '/')) end++;
    return end;
  }

  /** White space, except the last character when a word follows. */
  function space(text: string, p: number, newlines: boolean): number {
    const end = classes.runOf(text, p, S);
    const newline = newlines ? behindLastNewline(text, p, end) : undefined;
    if (newline !== undefined) return newline;
    return end === text.length || end === p + 1 ? end : end - 1;
  }

  /** End of the contraction at `q`, or `q`. Case-insensitive matching includes U+017F (long s). */
  function contraction(text: string, q: number, anyCase: boolean): number {
    if (!contractions || text[q] !== "'") return q;
    const [one, two] = anyCase ? CONTRACTIONS_ANY_CASE : CONTRACTIONS;
    if (one.includes(text.charAt(q + 1) || ' ')) return q + 2;
    return two.includes(text.slice(q + 1, q + 3)) ? q + 3 : q;
  }

  if (kind === 'cased') return cased;
  if (kind === 'plain') return plain;
  if (kind === 'gpt2') return gpt2;
  return (text, p) => deepseekPiece(classes, text, p, { digits, space });
}

type Contractions = readonly [one: string, two: readonly string[]];

const CONTRACTIONS: Contractions = ['stmd', ['re', 've', 'll']];
const CONTRACTIONS_ANY_CASE: Contractions = [
  'stmdSTMD\u017F',
  ['re', 've', 'll'].flatMap(([a = '', b = '']) => [
    a + b,
    a + b.toUpperCase(),
    a.toUpperCase() + b,
    (a + b).toUpperCase(),
  ]),
];
