/**
 * Hand-written matchers for the pre-tokenizer regular expressions. Each function takes the start of
 * a piece and returns its end. Runs are greedy; where the expression would backtrack, the result is
 * computed directly.
 */
import {
  CASELESS,
  L,
  LETTER,
  M,
  N,
  P,
  S,
  U,
  END,
  afterCharacter,
  classAt,
  classesFrom,
  noteEnd,
  outside,
  runOf,
  runOfSymbols,
  touchEnd,
} from './classes';

/** The expression that a vocabulary was trained with. */
export const CASED: u32 = 0; // o200k, tekken: words split at capitals
export const PLAIN: u32 = 1; // cl100k, llama 3, qwen: a word is a run of letters
export const GPT2: u32 = 2; // p50k, r50k
export const DEEPSEEK: u32 = 3;

let kind: u32 = CASED;
/** Maximum number of digits in a piece. */
let maxDigits: u32 = 3;
/** Whether English contractions belong to the word (CASED) or form a piece (PLAIN). */
let contractions: bool = true;
/** Whether the tail of a run of symbols includes slashes. */
let slashTail: bool = true;

export function setSplitter(which: u32, digits: u32, english: bool, slash: bool): void {
  kind = which;
  maxDigits = digits;
  contractions = english;
  slashTail = slash;
}

const CR: u32 = 13;
const LF: u32 = 10;
const SPACE: u32 = 32;
const SLASH: u32 = 47;
const QUOTE: u32 = 39;

// @ts-ignore: decorator
@inline
function isNewline(b: u32): bool {
  return b == LF || b == CR;
}

export function nextPiece(p: usize): usize {
  if (kind == CASED) return cased(p);
  if (kind == PLAIN) return plain(p);
  if (kind == GPT2) return gpt2(p);
  return deepseek(p);
}

// --- o200k ---

function cased(p: usize): usize {
  const c = classAt(p);
  if ((c & N) != 0) return digits(p);
  if (isNewline(load<u8>(p))) return symbolsOrSpace(p);
  let q: usize;
  if ((c & M) != 0) {
    // A mark may be the prefix or part of the word.
    q = word(afterCharacter(p), false);
    if (q == 0) q = word(p, false);
  } else {
    const s = (c & LETTER) != 0 ? p : afterCharacter(p);
    if ((classAt(s) & (LETTER | M)) == 0) return symbolsOrSpace(p);
    q = shortWord(s);
    if (q == 0) q = word(s, true);
  }
  return load<u8>(q) == QUOTE ? contraction(q, true) : q;
}

/** Vectorised `upper* lower+` for matches within 16 bytes; otherwise 0. */
// @ts-ignore: decorator
@inline
function shortWord(s: usize): usize {
  const classes = classesFrom(s);
  const upper = ctz(outside(classes, U | CASELESS) | 0x10000);
  const lower = ctz((outside(classes, L | CASELESS) | 0x10000) >>> upper);
  return lower > 0 && upper + lower < 16 ? s + upper + lower : 0;
}

/** `upper* lower+`, otherwise, if requested, `upper+ lower*`; 0 when neither matches. */
function word(s: usize, orUpper: bool): usize {
  const q = runOf(s, U | CASELESS);
  if ((classAt(q) & L) != 0) return runOf(q, L | CASELESS);
  noteEnd(q);
  // Without a following lower case letter the run backtracks to its last caseless character.
  let x = q;
  while (x > s && (classAt(x - 1) & CASELESS) == 0) x--;
  if (x > s) return x;
  return orUpper && q > s ? q : 0;
}

// --- cl100k ---

function plain(p: usize): usize {
  const b: u32 = load<u8>(p);
  if (b == QUOTE) {
    const q = contraction(p, true);
    if (q > p) return q;
  }
  const c = classAt(p);
  if ((c & N) != 0) return digits(p);
  if (!isNewline(b)) {
    const s = (c & LETTER) != 0 ? p : afterCharacter(p);
    const end = runOf(s, LETTER);
    if (end > s) return end;
  }
  return symbolsOrSpace(p);
}

// --- p50k, r50k ---

function gpt2(p: usize): usize {
  const end = contraction(p, false);
  if (end > p) return end;
  const s = load<u8>(p) == SPACE ? p + 1 : p;
  let q = runOf(s, LETTER);
  if (q == s) q = runOf(s, N);
  if (q == s) q = runOfSymbols(s);
  return q > s ? q : space(p, false);
}

// --- DeepSeek v3: digits, then runs of ideographs and kana are split off, then words within each
// ---

function deepseek(p: usize): usize {
  const c = classAt(p);
  if ((c & N) != 0) return digits(p);
  // No later rule crosses the ends of such a run, in either direction.
  const run = isIdeograph(p);
  const b: u32 = load<u8>(p);
  // ASCII punctuation followed by ASCII letters comes before all other rules.
  if (b < 0x80 && (c & P) != 0 && isAsciiLetter(p + 1)) {
    let q = p + 1;
    while (isAsciiLetter(q)) q++;
    noteEnd(q);
    return q;
  }
  if (!isNewline(b)) {
    const prefix = (c & (LETTER | P)) == 0;
    // The prefix is tried first; a mark is tried again as part of the word.
    if (prefix) {
      const s = afterCharacter(p);
      const q = runWithin(s, LETTER | M, run);
      if (q > s) return q;
    }
    if ((c & (LETTER | M)) != 0) return runWithin(p, LETTER | M, run);
  }
  const s = b == SPACE ? p + 1 : p;
  let q = runWithin(s, P, run);
  if (q > s) {
    if (run) return q;
    while (isNewline(load<u8>(q))) q++;
    noteEnd(q);
    return q;
  }
  if ((c & S) != 0) return deepseekSpace(p);
  // Matched by no alternative: text between two matches is one piece.
  return unmatched(p, run);
}

function isIdeograph(p: usize): bool {
  if ((<u32>load<u8>(p) & 0xf0) != 0xe0) return false;
  const code =
    ((<u32>load<u8>(p) & 15) << 12) | ((<u32>load<u8>(p, 1) & 63) << 6) | (<u32>load<u8>(p, 2) & 63);
  return (code >= 0x4e00 && code <= 0x9fa5) || (code >= 0x3040 && code <= 0x30ff);
}

/** Run of characters in `mask`, either all ideographs and kana or none of them. */
function runWithin(p: usize, mask: u32, run: bool): usize {
  while ((classAt(p) & mask) != 0 && isIdeograph(p) == run) p = afterCharacter(p);
  noteEnd(p);
  return p;
}

/** Digits and ideographs end the text of this rule, so the lookahead does not see them. */
function deepseekSpace(p: usize): usize {
  const end = runOf(p, S);
  noteEnd(end);
  if ((classAt(end) & N) != 0 || isIdeograph(end)) {
    const nl = lastNewline(p, end);
    return nl != 0 ? nl : end;
  }
  return space(p, true);
}

/** End of the last newline in the run, or 0. */
function lastNewline(p: usize, end: usize): usize {
  for (let q = end; q > p; q--) if (isNewline(load<u8>(q - 1))) return q;
  return 0;
}

function isAsciiLetter(p: usize): bool {
  return load<u8>(p) < 0x80 && (classAt(p) & (U | L)) != 0;
}

function unmatched(p: usize, run: bool): usize {
  while ((classAt(p) & (LETTER | M | N | S | P | END)) == 0 && isIdeograph(p) == run) {
    const next = afterCharacter(p);
    // It matches as the prefix of a word.
    if ((classAt(next) & (LETTER | M)) != 0 && isIdeograph(next) == run) return p;
    p = next;
  }
  noteEnd(p);
  return p;
}

// --- shared ---

function digits(p: usize): usize {
  for (let i: u32 = 0; i < maxDigits; i++) {
    if ((classAt(p) & N) == 0) break;
    p = afterCharacter(p);
  }
  return p;
}

function symbolsOrSpace(p: usize): usize {
  const s = load<u8>(p) == SPACE ? p + 1 : p;
  let q = runOfSymbols(s);
  if (q == s) return space(p, true);
  let b: u32 = load<u8>(q);
  while (isNewline(b) || (b == SLASH && slashTail)) b = load<u8>(++q);
  return q;
}

/** White space, except the last character when a word follows. */
function space(p: usize, newlines: bool): usize {
  const end = runOf(p, S);
  noteEnd(end);
  if (newlines) {
    const nl = lastNewline(p, end);
    if (nl != 0) return nl;
  }
  if ((classAt(end) & END) != 0) return end;
  let last = end - 1;
  while ((<u32>load<u8>(last) & 0xc0) == 0x80) last--;
  return last == p ? end : last;
}

/** End of the contraction at `q`, or `q`. Case-insensitive matching includes U+017F (long s). */
function contraction(q: usize, anyCase: bool): usize {
  if (load<u8>(q) != QUOTE || !contractions) return q;
  let a: u32 = load<u8>(q, 1);
  let b: u32 = a == 0xff ? 0xff : load<u8>(q, 2);
  if (a == 0xff || b == 0xff) touchEnd();
  if (anyCase) {
    if (a == 0xc5 && b == 0xbf) return q + 3;
    if (isUpperAscii(a)) a |= 32;
    if (isUpperAscii(b)) b |= 32;
  }
  if (a == 0x73 || a == 0x74 || a == 0x6d || a == 0x64) return q + 2;
  if ((a == 0x72 || a == 0x76) && b == 0x65) return q + 3;
  if (a == 0x6c && b == 0x6c) return q + 3;
  return q;
}

// @ts-ignore: decorator
@inline
function isUpperAscii(b: u32): bool {
  return b - 0x41 < 26;
}
