import { lengthOf } from './classes';
import { reserve } from './memory';

/**
 * Decides where a piece may be cut before merging, based on the character boundaries inside tokens.
 * A token that crosses the boundary of characters A and B either contains both completely, in which
 * case (A, B) is in the filter, or only a part of one, in which case (last byte of A, first byte of
 * B) has a limit: the lowest id of such a token.
 *
 * A piece may be cut between two non-ASCII characters whose boundary has neither. A filter
 * collision misses a cut but never makes a wrong one. A finer rule (ranks in place of "has a
 * limit") passed on every generated string and failed on Chinese after a space: keep the rule as it
 * is.
 *
 * A character that is a token may be used as one from the start when its id is below the limits at
 * both of its ends. Proof: consider the first merge across one of the ends. If the character were
 * not merged yet, that merge would use only part of it and its id would be above the limit. But as
 * long as the character is not merged, a merge inside it with an id up to its own is available, and
 * goes first.
 */
const FILTER_BITS: u32 = 19;

let filter: usize = 0;
/** Complements of the limits, so that 0 means none. */
let limits: usize = 0;
/**
 * Ids of the tokens that are a single character of two to four bytes, by 17 bits of the code point.
 */
let characters: usize = 0;
const CHARACTERS: u32 = 0x20000;
/** Whether merging the bytes of each token yields that token. */
let reachable: bool = false;

export function reserveCuts(): void {
  filter = reserve(1 << (FILTER_BITS - 3));
  limits = reserve(65536 << 2);
  characters = reserve(CHARACTERS << 2);
}

/** In such a vocabulary merging may start from characters instead of bytes. */
export function setReachable(on: bool): void {
  reachable = on;
}

// @ts-ignore: decorator
@inline
function filterBit(a: u32, b: u32): u32 {
  return ((a * 0x9e3779b1) ^ (b * 0x85ebca77)) * 0xc2b2ae3d >>> (32 - FILTER_BITS);
}

// @ts-ignore: decorator
@inline
function setBit(table: usize, bit: u32): void {
  const at = table + (bit >>> 3);
  store<u8>(at, <u32>load<u8>(at) | ((<u32>1) << (bit & 7)));
}

/** The bytes of a character as a number; serves as its code point here. */
// @ts-ignore: decorator
@inline
function characterAt(p: usize, n: u32): u32 {
  return load<u32>(p) & (n == 4 ? 0xffffffff : ((<u32>1) << (n << 3)) - 1);
}

/**
 * Indexed by the second byte first, which places those with the same second byte next to each
 * other.
 */
// @ts-ignore: decorator
@inline
function limitOf(p: usize): usize {
  return limits + (<usize>((<u32>load<u8>(p) << 8) | load<u8>(p - 1)) << 2);
}

// @ts-ignore: decorator
@inline
function limitAt(p: usize): u32 {
  return ~load<u32>(limitOf(p));
}

/**
 * Records the boundary at `seam`, where the two parts of the token `id` meet. Boundaries inside the
 * parts were recorded with the parts, which have lower ids. A limit is set once: the first one is
 * the lowest.
 */
export function noteSeam(p: usize, seam: u32, n: u32, id: u32): void {
  const second: u32 = load<u8>(p + seam);
  const before: u32 = load<u8>(p + seam - 1);
  // Inside a character, or between two ASCII characters.
  if ((second & 0xc0) == 0x80) {
    noteCharacter(p, n, id);
    return;
  }
  if ((second | before) < 0x80) return;
  const start = completeBefore(p, seam);
  const length = lengthOf(second);
  if (start == seam || !completeAt(p + seam, length, n - seam)) {
    const limit = limitOf(p + seam);
    if (load<u32>(limit) == 0) store<u32>(limit, ~id);
  } else if (second >= 0x80 && before >= 0x80) {
    setBit(filter, filterBit(characterAt(p + start, seam - start), characterAt(p + seam, length)));
  }
}

function noteCharacter(p: usize, n: u32, id: u32): void {
  const lead: u32 = load<u8>(p);
  if (!reachable || lead < 0xc0 || n != lengthOf(lead) || !completeAt(p, n, n)) return;
  const code = codeAt(p, n);
  if (code < CHARACTERS) store<u32>(characters + (<usize>code << 2), id);
}

/** Code point of a character of `n` > 1 bytes. */
// @ts-ignore: decorator
@inline
export function codeAt(p: usize, n: u32): u32 {
  const b: u32 = load<u8>(p, 1) & 63;
  if (n == 2) return ((<u32>load<u8>(p) & 31) << 6) | b;
  const c: u32 = load<u8>(p, 2) & 63;
  if (n == 3) return ((<u32>load<u8>(p) & 15) << 12) | (b << 6) | c;
  return ((<u32>load<u8>(p) & 7) << 18) | (b << 12) | (c << 6) | (<u32>load<u8>(p, 3) & 63);
}

/**
 * The token that the character at `p` may be used as, or 0. `n` > 1 is its length in bytes; the
 * piece is `from` to `to`.
 */
// @ts-ignore: decorator
@inline
export function characterToken(p: usize, n: u32, from: usize, to: usize): u32 {
  const code = codeAt(p, n);
  if (code >= CHARACTERS) return 0;
  const id = load<u32>(characters + (<usize>code << 2));
  if (p > from && id >= limitAt(p)) return 0;
  return p + n < to && id >= limitAt(p + n) ? 0 : id;
}

/**
 * Start of the character that ends before `i`, or `i` when that character starts outside the token.
 */
function completeBefore(p: usize, i: u32): u32 {
  let start = i - 1;
  while (start > 0 && (<u32>load<u8>(p + start) & 0xc0) == 0x80) start--;
  const lead: u32 = load<u8>(p + start);
  const whole = lead < 0x80 || lead >= 0xc0;
  return whole && lengthOf(lead) == i - start ? start : i;
}

function completeAt(p: usize, length: u32, available: u32): bool {
  if (available < length) return false;
  for (let i: u32 = 1; i < length; i++) {
    if ((<u32>load<u8>(p + i) & 0xc0) != 0x80) return false;
  }
  return true;
}

/** Whether no token crosses the boundary at `p` between characters of `a` and `b` bytes. */
// @ts-ignore: decorator
@inline
export function isCut(p: usize, a: u32, b: u32): bool {
  return (load<u32>(limitOf(p)) | filterHas(p, a, b)) == 0;
}

// @ts-ignore: decorator
@inline
function filterHas(p: usize, a: u32, b: u32): u32 {
  const bit = filterBit(characterAt(p - a, a), characterAt(p, b));
  return (<u32>load<u8>(filter + (bit >>> 3)) >>> (bit & 7)) & 1;
}
