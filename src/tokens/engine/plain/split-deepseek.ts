import {
  after,
  behindLastNewline,
  END,
  isLetter,
  isNewline,
  L,
  N,
  P,
  S,
  U,
  X,
  type CharacterClasses,
} from './classes.ts';

interface SharedRules {
  readonly digits: (text: string, p: number) => number;
  readonly space: (text: string, p: number, newlines: boolean) => number;
}

/** DeepSeek v3: digits, then runs of ideographs and kana are split off, then words within each. */
export function deepseekPiece(
  classes: CharacterClasses,
  text: string,
  p: number,
  { digits, space }: SharedRules,
): number {
  const c = classes.at(text, p);
  if ((c & N) !== 0) return digits(text, p);
  // No later rule crosses the ends of such a run, in either direction.
  const run = isIdeograph(text, p);
  // ASCII punctuation followed by ASCII letters comes before all other rules.
  if ((c & P) !== 0 && text.charCodeAt(p) < 0x80 && isAsciiLetter(text, p + 1)) {
    let end = p + 1;
    while (isAsciiLetter(text, end)) end++;
    return end;
  }
  if (!isNewline(text, p)) {
    // Prefix of a word; a mark is tried again as part of the word.
    if ((c & (U | L | P)) === 0 && !isLetter(c)) {
      const start = after(text, p);
      const end = runWithin(classes, text, start, U | L | X, run);
      if (end > start) return end;
    }
    if ((c & (U | L | X)) !== 0) return runWithin(classes, text, p, U | L | X, run);
  }
  const start = text[p] === ' ' ? p + 1 : p;
  let end = runWithin(classes, text, start, P, run);
  if (end > start) {
    while (!run && isNewline(text, end)) end++;
    return end;
  }
  if ((c & S) === 0) return unmatched(classes, text, p, run);
  // Digits and ideographs end the text of this rule, so the lookahead does not see them.
  end = classes.runOf(text, p, S);
  if ((classes.at(text, end) & N) !== 0 || isIdeograph(text, end)) {
    return behindLastNewline(text, p, end) ?? end;
  }
  return space(text, p, true);
}

function isAsciiLetter(text: string, p: number): boolean {
  const code = text.charCodeAt(p) | 32;
  return code >= 97 && code <= 122;
}

function isIdeograph(text: string, p: number): boolean {
  const code = text.charCodeAt(p);
  return (code >= 0x4e00 && code <= 0x9fa5) || (code >= 0x3040 && code <= 0x30ff);
}

/** Run of characters in `mask`, either all ideographs and kana or none of them. */
function runWithin(
  classes: CharacterClasses,
  text: string,
  p: number,
  mask: number,
  run: boolean,
): number {
  let end = p;
  while ((classes.at(text, end) & mask) !== 0 && isIdeograph(text, end) === run) {
    end = after(text, end);
  }
  return end;
}

/** Text that no alternative matches is one piece. */
function unmatched(classes: CharacterClasses, text: string, p: number, run: boolean): number {
  let at = p;
  let c = classes.at(text, at);
  while ((c & (U | L | X | N | S | P | END)) === 0 && isIdeograph(text, at) === run) {
    const next = after(text, at);
    const following = classes.at(text, next);
    // It matches as the prefix of a word.
    if ((following & (U | L | X)) !== 0 && isIdeograph(text, next) === run) return at;
    at = next;
    c = following;
  }
  return at;
}
