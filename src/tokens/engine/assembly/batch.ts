/**
 * Pieces are collected and then looked up together, table by table. A cache miss takes longer than
 * everything else, and in a loop of nothing but lookups the processor overlaps many of them.
 */
import { lengthOf } from './classes';
import { isCut } from './cuts';
import { hash1, hash2, lowBytes } from './hash';
import { reserve } from './memory';
import { mergedCount } from './merge';
import {
  MEDIUM_COUNT,
  MEDIUM_KEY,
  SHORT_COUNT,
  SHORT_KEY,
  countCharacter,
  countLong,
  countSplit,
  mediumSlot,
  shortSlot,
  wholePieces,
} from './pieces';
import { isMediumFrom, isShortFrom, mediumPlace, shortPlace } from './vocabulary';

const SIZE: u32 = 64;

/** Pieces of up to 7 bytes: key, then address. */
let shortKeys: usize = 0;
let shortStarts: usize = 0;
let shorts: u32 = 0;
/** Pieces of 8 to 15 bytes: key of two words, then address. */
let mediumKeys: usize = 0;
let mediumStarts: usize = 0;
let mediums: u32 = 0;
/** Indexes of pieces that are not cached, and their slots in the vocabulary. */
let missed: usize = 0;
let found: usize = 0;
/** Whether there is a cut before each character of a group. */
let cuts: usize = 0;

/** Lead bytes from kana on: ideographs, Hangul, emoji. */
const DENSE_FROM: u32 = 0xe3;

export function reserveBatch(): void {
  shortKeys = reserve(SIZE << 3);
  shortStarts = reserve(SIZE << 2);
  mediumKeys = reserve(SIZE << 4);
  mediumStarts = reserve(SIZE << 2);
  missed = reserve(SIZE << 2);
  found = reserve(SIZE << 3);
  cuts = reserve(SIZE);
}

/**
 * Adds a piece of more than one byte. Returns the tokens of pieces that were counted to make room.
 */
// @ts-ignore: decorator
@inline
export function addPiece(p: usize, n: u32, work: usize): u32 {
  if (n < 8) return addShort(p, n, work);
  if (n < 16) return addMedium(p, n, work);
  return isDense(p + n) ? addParts(p, n, work) : countLong(p, n, work);
}

/** Whether the text that ends at `to` is in a script with short tokens and therefore many cuts. */
// @ts-ignore: decorator
@inline
function isDense(to: usize): bool {
  let q = to - 1;
  while ((<u32>load<u8>(q) & 0xc0) == 0x80) q--;
  return load<u8>(q) >= DENSE_FROM;
}

/**
 * Adds the parts of a piece of more than 15 bytes. All cuts are looked up before any is made,
 * because a branch on each of them would be mispredicted.
 */
function addParts(p: usize, n: u32, work: usize): u32 {
  const end = p + n;
  let sum: u32 = 0;
  let start = p;
  let q = p;
  let last: u32 = 0;
  while (q < end) {
    const from = q;
    let before = last;
    let characters: u32 = 0;
    while (q < end && characters < SIZE) {
      const lead: u32 = load<u8>(q);
      const length = lengthOf(lead);
      // Only between two non-ASCII characters.
      const cut = (before > 1) & (length > 1) & isCut(q, before, length);
      store<u8>(cuts + characters, cut);
      characters++;
      before = length;
      q += length;
    }
    q = from;
    for (let i: u32 = 0; i < characters; i++) {
      const length = lengthOf(load<u8>(q));
      if (load<u8>(cuts + i) != 0) {
        sum += addPart(start, <u32>(q - start), last, work);
        start = q;
      }
      last = length;
      q += length;
    }
  }
  if (start == p) return countLong(p, n, work);
  return sum + addPart(start, <u32>(end - start), last, work);
}

/** @param last length in bytes of the part's last character */
// @ts-ignore: decorator
@inline
function addPart(p: usize, n: u32, last: u32, work: usize): u32 {
  if (n == last) {
    const count = countCharacter(p, n, work);
    if (count != 0) return count;
  }
  if (n > 15 || wholePieces) return mergedCount(p, n, work);
  return n < 8 ? addShort(p, n, work) : addMedium(p, n, work);
}

/** Pieces of 2 to 7 bytes. */
// @ts-ignore: decorator
@inline
function addShort(p: usize, n: u32, work: usize): u32 {
  store<u64>(shortKeys + (<usize>shorts << 3), lowBytes(load<u64>(p), n) | ((<u64>n) << 56));
  store<u32>(shortStarts + (<usize>shorts << 2), <u32>p);
  return ++shorts == SIZE ? countShorts(work) : 0;
}

/** Pieces of 8 to 15 bytes. */
// @ts-ignore: decorator
@inline
function addMedium(p: usize, n: u32, work: usize): u32 {
  const at = mediumKeys + (<usize>mediums << 4);
  store<u64>(at, load<u64>(p));
  store<u64>(at, lowBytes(load<u64>(p, 8), n - 8) | ((<u64>n) << 56), 8);
  store<u32>(mediumStarts + (<usize>mediums << 2), <u32>p);
  return ++mediums == SIZE ? countMediums(work) : 0;
}

/** Tokens of all collected pieces. */
export function countWaiting(work: usize): u32 {
  return countShorts(work) + countMediums(work);
}

function countShorts(work: usize): u32 {
  let sum: u32 = 0;
  let misses: u32 = 0;
  for (let i: u32 = 0; i < shorts; i++) {
    const key = load<u64>(shortKeys + (<usize>i << 3));
    const slot = load<u64>(shortSlot(key));
    const hit = (slot & SHORT_KEY) == key;
    sum += select<u32>(<u32>(slot >>> SHORT_COUNT), 0, hit);
    store<u32>(missed + (<usize>misses << 2), i);
    misses += <u32>!hit;
  }
  shorts = 0;
  for (let j: u32 = 0; j < misses; j++) {
    const key = load<u64>(shortKeys + (<usize>load<u32>(missed + (<usize>j << 2)) << 3));
    store<u64>(found + (<usize>j << 3), load<u64>(shortPlace(key)));
  }
  for (let j: u32 = 0; j < misses; j++) {
    const i = <usize>load<u32>(missed + (<usize>j << 2));
    const key = load<u64>(shortKeys + (i << 3));
    const token = isShortFrom(key, load<u64>(found + (<usize>j << 3)));
    const p = <usize>load<u32>(shortStarts + (i << 2));
    const count: u32 = token ? 1 : countSplit(p, <u32>(key >>> 56), work);
    store<u64>(shortSlot(key), key | ((<u64>count) << SHORT_COUNT));
    sum += count;
  }
  return sum;
}

function countMediums(work: usize): u32 {
  let sum: u32 = 0;
  let misses: u32 = 0;
  for (let i: u32 = 0; i < mediums; i++) {
    const at = mediumKeys + (<usize>i << 4);
    const low = load<u64>(at);
    const high = load<u64>(at, 8);
    const slot = mediumSlot(low, high);
    const kept = load<u64>(slot, 8);
    const hit = ((kept & MEDIUM_KEY) == high) & (load<u64>(slot) == low);
    sum += select<u32>(<u32>(kept >>> MEDIUM_COUNT), 0, hit);
    store<u32>(missed + (<usize>misses << 2), i);
    misses += <u32>!hit;
  }
  mediums = 0;
  for (let j: u32 = 0; j < misses; j++) {
    const at = mediumKeys + (<usize>load<u32>(missed + (<usize>j << 2)) << 4);
    store<u64>(found + (<usize>j << 3), load<u64>(mediumPlace(load<u64>(at), load<u64>(at, 8)), 8));
  }
  for (let j: u32 = 0; j < misses; j++) {
    const i = <usize>load<u32>(missed + (<usize>j << 2));
    const low = load<u64>(mediumKeys + (i << 4));
    const high = load<u64>(mediumKeys + (i << 4), 8);
    const token = isMediumFrom(low, high, load<u64>(found + (<usize>j << 3)));
    const p = <usize>load<u32>(mediumStarts + (i << 2));
    const count: u32 = token ? 1 : countSplit(p, <u32>(high >>> 56), work);
    const slot = mediumSlot(low, high);
    store<u64>(slot, low);
    store<u64>(slot, high | ((<u64>count) << MEDIUM_COUNT), 8);
    sum += count;
  }
  return sum;
}
