/**
 * The pre-tokenizer regular expressions, written by hand: each function takes the start of a piece
 * and gives its end. Runs are greedy; where the expression would backtrack, the outcome of the
 * backtracking is computed.
 */
import {
  L,
  M,
  N,
  P,
  S,
  U,
  X,
  END,
  asciiClass,
  charAt,
  isLetter,
  runOf,
  runOfLetters,
  runOfSymbols,
  touchEnd,
} from './classes';

/** Which expression a vocabulary was trained with. */
export const CASED: u32 = 0; // o200k, tekken: words split at capitals
export const PLAIN: u32 = 1; // cl100k, llama 3, qwen: a word is a run of letters
export const GPT2: u32 = 2; // p50k, r50k
export const DEEPSEEK: u32 = 3;

let kind: u32 = CASED;
/** Digits a piece may hold. */
let maxDigits: u32 = 3;
/** Whether English contractions go with (CASED) or stand as (PLAIN) a piece. */
let contractions: bool = true;
/** Whether slashes belong to the tail of a run of symbols. */
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

/** ASCII all the way, else the general function from the start. */
function cased(p: usize): usize {
  const b: u32 = load<u8>(p);
  if (b >= 0x80) return casedAny(p);
  const c = asciiClass(b);
  let s = p;
  if ((c & (U | L)) == 0) {
    const next: u32 = load<u8>(p, 1);
    if (next >= 0x80) return casedAny(p);
    if ((c & N) != 0) return digits(p);
    if (isNewline(b) || (asciiClass(next) & (U | L)) == 0) return symbolsOrSpace(p);
    s = p + 1;
  }
  let q = s;
  let d: u32 = load<u8>(q);
  while ((asciiClass(d) & U) != 0) d = load<u8>(++q);
  while ((asciiClass(d) & L) != 0) d = load<u8>(++q);
  if (d >= 0x80) return casedAny(p);
  return d == QUOTE ? contraction(q, true) : q;
}

function casedAny(p: usize): usize {
  const c = charAt(p);
  const after = p + (c >> 8);
  if ((c & N) != 0) return digits(p);
  if (!isNewline(load<u8>(p))) {
    const first = isLetter(c) ? p : after;
    // A mark may be the prefix, or belong to the word itself.
    const second = (c & M) != 0 ? p : 0;
    let q = upperThenLower(first);
    if (q == 0 && second != 0) q = upperThenLower(second);
    if (q == 0) q = upperOnly(first);
    if (q == 0 && second != 0) q = upperOnly(second);
    if (q != 0) return contraction(q, true);
  }
  return symbolsOrSpace(p);
}

/** `upper* lower+`; 0 when it does not match. */
function upperThenLower(s: usize): usize {
  let q = s;
  let x: usize = 0;
  let c = charAt(q);
  while ((c & (U | X)) != 0) {
    q += c >> 8;
    if ((c & X) != 0) x = q;
    c = charAt(q);
  }
  // With no lower case behind it the run gives back up to its last caseless character.
  return (c & L) != 0 ? runOf(q, L | X) : x;
}

/** `upper+ lower*`, tried when the other failed; 0 when it does not match. */
function upperOnly(s: usize): usize {
  const q = runOf(s, U | X);
  return q > s ? runOf(q, L | X) : 0;
}

// --- cl100k ---

function plain(p: usize): usize {
  const b: u32 = load<u8>(p);
  if (b >= 0x80) return plainAny(p);
  const c = asciiClass(b);
  let s = p;
  if ((c & (U | L)) == 0) {
    const next: u32 = load<u8>(p, 1);
    if (next >= 0x80) return plainAny(p);
    if ((c & N) != 0) return digits(p);
    if (b == QUOTE) {
      const q = contraction(p, true);
      if (q > p) return q;
    }
    if (isNewline(b) || (asciiClass(next) & (U | L)) == 0) return symbolsOrSpace(p);
    s = p + 1;
  }
  let q = s;
  let d: u32 = load<u8>(q);
  while ((asciiClass(d) & (U | L)) != 0) d = load<u8>(++q);
  return d >= 0x80 ? plainAny(p) : q;
}

function plainAny(p: usize): usize {
  const q = contraction(p, true);
  if (q > p) return q;
  const c = charAt(p);
  if ((c & N) != 0) return digits(p);
  if (!isNewline(load<u8>(p))) {
    const s = isLetter(c) ? p : p + (c >> 8);
    const end = runOfLetters(s);
    if (end > s) return end;
  }
  return symbolsOrSpace(p);
}

// --- p50k, r50k ---

function gpt2(p: usize): usize {
  const end = contraction(p, false);
  if (end > p) return end;
  const s = load<u8>(p) == SPACE ? p + 1 : p;
  let q = runOfLetters(s);
  if (q == s) q = runOf(s, N);
  if (q == s) q = runOfSymbols(s);
  return q > s ? q : space(p, false);
}

// --- DeepSeek v3: digits, then runs of ideographs and kana are split off, then words within each ---

function deepseek(p: usize): usize {
  const c = charAt(p);
  if ((c & N) != 0) return digits(p);
  // No rule from here on crosses the ends of such a run, from inside or outside.
  const run = isIdeograph(p);
  const b: u32 = load<u8>(p);
  // ASCII punctuation takes ASCII letters with it, before any other rule.
  if (b < 0x80 && (c & P) != 0 && (asciiClass(load<u8>(p, 1)) & (U | L)) != 0) {
    let q = p + 1;
    while ((asciiClass(load<u8>(q)) & (U | L)) != 0) q++;
    if (load<u8>(q) == 0xff) touchEnd();
    return q;
  }
  if (!isNewline(b)) {
    const prefix = (c & (U | L | P)) == 0 && !isLetter(c);
    // The prefix is tried first, a mark again as part of the word.
    if (prefix) {
      const s = p + (c >> 8);
      const q = runWithin(s, U | L | X, run);
      if (q > s) return q;
    }
    if ((c & (U | L | X)) != 0) return runWithin(p, U | L | X, run);
  }
  const s = b == SPACE ? p + 1 : p;
  let q = runWithin(s, P, run);
  if (q > s) {
    if (run) return q;
    while (isNewline(load<u8>(q))) q++;
    if (load<u8>(q) == 0xff) touchEnd();
    return q;
  }
  if ((c & S) != 0) return deepseekSpace(p);
  // Matched by no alternative: what stands between two matches stays one piece.
  return unmatched(p, run);
}

function isIdeograph(p: usize): bool {
  if ((<u32>load<u8>(p) & 0xf0) != 0xe0) return false;
  const code =
    ((<u32>load<u8>(p) & 15) << 12) | ((<u32>load<u8>(p, 1) & 63) << 6) | (<u32>load<u8>(p, 2) & 63);
  return (code >= 0x4e00 && code <= 0x9fa5) || (code >= 0x3040 && code <= 0x30ff);
}

/** Characters in any of the classes `mask`, all ideographs or kana, or none of them. */
function runWithin(p: usize, mask: u32, run: bool): usize {
  let c = charAt(p);
  while ((c & mask) != 0 && isIdeograph(p) == run) {
    p += c >> 8;
    c = charAt(p);
  }
  return p;
}

/** Digits and ideographs end the text of this rule, so they are no character to look ahead at. */
function deepseekSpace(p: usize): usize {
  const end = runOf(p, S);
  if ((charAt(end) & N) != 0 || isIdeograph(end)) {
    const nl = lastNewline(p, end);
    return nl != 0 ? nl : end;
  }
  return space(p, true);
}

function lastNewline(p: usize, end: usize): usize {
  let nl: usize = 0;
  for (; p < end; p++) if (isNewline(load<u8>(p))) nl = p + 1;
  return nl;
}

function unmatched(p: usize, run: bool): usize {
  let c = charAt(p);
  while ((c & (U | L | X | N | S | P | END)) == 0 && isIdeograph(p) == run) {
    const next = p + (c >> 8);
    const following = charAt(next);
    // As the prefix of a word it does match.
    if ((following & (U | L | X)) != 0 && isIdeograph(next) == run) return p;
    p = next;
    c = following;
  }
  return p;
}

// --- shared ---

function digits(p: usize): usize {
  for (let i: u32 = 0; i < maxDigits; i++) {
    const c = charAt(p);
    if ((c & N) == 0) break;
    p += c >> 8;
  }
  return p;
}

function symbolsOrSpace(p: usize): usize {
  const s = load<u8>(p) == SPACE ? p + 1 : p;
  let q = runOfSymbols(s);
  if (q == s) return space(p, true);
  let b: u32 = load<u8>(q);
  while (isNewline(b) || (b == SLASH && slashTail)) b = load<u8>(++q);
  if (b == 0xff) touchEnd();
  return q;
}

/** White space; its last character is left to the word behind it. */
function space(p: usize, newlines: bool): usize {
  let q = p;
  let last = p;
  let nl: usize = 0;
  let c = charAt(q);
  while ((c & S) != 0) {
    last = q;
    if (isNewline(load<u8>(q))) nl = q + 1;
    q += c >> 8;
    c = charAt(q);
  }
  if (newlines && nl != 0) return nl;
  return (c & END) != 0 || last == p ? q : last;
}

/** End of the contraction at `q`, or `q`. Without case its s is U+017F too. */
function contraction(q: usize, anyCase: bool): usize {
  if (load<u8>(q) != QUOTE || !contractions) return q;
  let a: u32 = load<u8>(q, 1);
  let b: u32 = a == 0xff ? 0xff : load<u8>(q, 2);
  if (a == 0xff || b == 0xff) touchEnd();
  if (anyCase) {
    if (a == 0xc5 && b == 0xbf) return q + 3;
    if (a < 0x80 && (asciiClass(a) & U) != 0) a |= 32;
    if (b < 0x80 && (asciiClass(b) & U) != 0) b |= 32;
  }
  if (a == 0x73 || a == 0x74 || a == 0x6d || a == 0x64) return q + 2;
  if ((a == 0x72 || a == 0x76) && b == 0x65) return q + 3;
  if (a == 0x6c && b == 0x6c) return q + 3;
  return q;
}
