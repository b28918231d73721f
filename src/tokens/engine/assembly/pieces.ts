import { lengthOf } from './classes';
import { codeAt, isCut } from './cuts';
import { hash1, hash2, hashBytes, lowBytes, sameBytes } from './hash';
import { reserve } from './memory';
import { mergedAscii, mergedCount } from './merge';
import { isToken } from './vocabulary';

/**
 * Direct-mapped cache of piece counts, keyed by the bytes themselves: up to 7 bytes in one word, up
 * to 15 in two, up to 43 in six. At most 1.2 MB of text fragments stay in memory.
 */
const LOG2_SHORT: u32 = 15;
const LOG2_MEDIUM: u32 = 15;
const LOG2_LONG: u32 = 13;
const LONG_SLOT: usize = 48;
const LONGEST_KEPT: u32 = 43;

let short: usize = 0;
let medium: usize = 0;
let long: usize = 0;
/** Tokens of single characters by code point; 0 means not cached. */
let characters: usize = 0;
const CHARACTERS: u32 = 0x20000;

export function reservePieces(): void {
  short = reserve((<usize>8) << LOG2_SHORT);
  medium = reserve((<usize>16) << LOG2_MEDIUM);
  long = reserve(LONG_SLOT << LOG2_LONG);
  characters = reserve(CHARACTERS);
  memory.fill(characters, 0, CHARACTERS);
  clearPieces();
}

/** Clears all text fragments. */
export function clearPieces(): void {
  memory.fill(short, 0, (<usize>8) << LOG2_SHORT);
  memory.fill(medium, 0, (<usize>16) << LOG2_MEDIUM);
  memory.fill(long, 0, LONG_SLOT << LOG2_LONG);
}

/**
 * In some vocabularies a piece that equals a token is one token even if merging does not produce
 * it. There, bytes may have a different count as a part of a piece than as a whole piece.
 */
export let wholePieces: bool = false;

export function setWholePieces(on: bool): void {
  wholePieces = on;
}

/** Slot layout: the length in three (four) bits from bit 56 on, the count in the bits above. */
export const SHORT_COUNT: u64 = 59;
export const SHORT_KEY: u64 = (<u64>1 << SHORT_COUNT) - 1;
export const MEDIUM_COUNT: u64 = 60;
export const MEDIUM_KEY: u64 = (<u64>1 << MEDIUM_COUNT) - 1;

// @ts-ignore: decorator
@inline
export function shortSlot(key: u64): usize {
  return short + (<usize>(hash1(key) >>> (64 - LOG2_SHORT)) << 3);
}

// @ts-ignore: decorator
@inline
export function mediumSlot(low: u64, high: u64): usize {
  return medium + (<usize>(hash2(low, high) >>> (64 - LOG2_MEDIUM)) << 4);
}

/** Tokens of a part of 2 to 15 bytes without a cut inside. */
function countUncut(p: usize, n: u32, work: usize): u32 {
  if (n < 8) {
    const key = lowBytes(load<u64>(p), n) | ((<u64>n) << 56);
    const at = shortSlot(key);
    const slot = load<u64>(at);
    if ((slot & SHORT_KEY) == key) return <u32>(slot >>> SHORT_COUNT);
    const count = isToken(p, n) ? 1 : mergedCount(p, n, work);
    store<u64>(at, key | ((<u64>count) << SHORT_COUNT));
    return count;
  }
  const low = load<u64>(p);
  const high = lowBytes(load<u64>(p, 8), n - 8) | ((<u64>n) << 56);
  const at = mediumSlot(low, high);
  const slot = load<u64>(at, 8);
  if ((slot & MEDIUM_KEY) == high && load<u64>(at) == low) return <u32>(slot >>> MEDIUM_COUNT);
  const count = isToken(p, n) ? 1 : mergedCount(p, n, work);
  store<u64>(at, low);
  store<u64>(at, high | ((<u64>count) << MEDIUM_COUNT), 8);
  return count;
}

/** Tokens of a piece of more than 15 bytes; `work` is free memory. */
export function countLong(p: usize, n: u32, work: usize): u32 {
  if (n > LONGEST_KEPT) return isToken(p, n) ? 1 : countSplit(p, n, work);
  const at = long + <usize>(hashBytes(p, n) >>> (64 - LOG2_LONG)) * LONG_SLOT;
  if (load<u8>(at, 44) == n && sameBytes(at, p, n)) return load<u8>(at, 45);
  const count = isToken(p, n) ? 1 : countSplit(p, n, work);
  memory.copy(at, p, n);
  store<u8>(at, n, 44);
  store<u8>(at, count, 45);
  return count;
}

/**
 * Cuts a piece where no token crosses, unless it is a token itself, and counts each part
 * separately.
 */
export function countSplit(p: usize, n: u32, work: usize): u32 {
  if (n <= 16 && (i8x16.bitmask(v128.load(p)) & ((1 << n) - 1)) == 0) return mergedAscii(p, n);
  const end = p + n;
  let count: u32 = 0;
  let start = p;
  let q = p;
  // Length in bytes of the character before q; 0 for ASCII.
  let before: u32 = 0;
  while (q < end) {
    const lead: u32 = load<u8>(q);
    if (lead < 0x80) {
      before = 0;
      q++;
      continue;
    }
    const length = lengthOf(lead);
    if (before != 0 && isCut(q, before, length)) {
      count += countPart(start, <u32>(q - start), before, work);
      start = q;
    }
    before = length;
    q += length;
  }
  if (start == p) return mergedCount(p, n, work);
  return count + countPart(start, <u32>(end - start), before, work);
}

/** @param last length in bytes of the part's last character */
function countPart(p: usize, n: u32, last: u32, work: usize): u32 {
  if (n == last) {
    const count = countCharacter(p, n, work);
    if (count != 0) return count;
  }
  if (n > 15 || wholePieces) return mergedCount(p, n, work);
  return countUncut(p, n, work);
}

/** Tokens of a part that is one character of `n` bytes, or 0 for code points outside the table. */
// @ts-ignore: decorator
@inline
export function countCharacter(p: usize, n: u32, work: usize): u32 {
  const code = codeAt(p, n);
  if (code >= CHARACTERS) return 0;
  const at = characters + code;
  let count: u32 = load<u8>(at);
  if (count == 0) {
    count = mergedCount(p, n, work);
    store<u8>(at, count);
  }
  return count;
}
