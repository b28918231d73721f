import { hash1, hash2, hashBytes, lowBytes, sameBytes } from './hash';
import { reserve } from './memory';

/**
 * Set of byte strings that are tokens: three hash tables by length, with open addressing to keep
 * cache misses low. A slot for up to 7 bytes holds the bytes themselves and their length on top, a
 * slot for up to 15 bytes the same in two words. For longer tokens it holds 32 bits of the hash,
 * the address of the bytes (24 bits) and their length (8 bits). An empty slot is 0. Tokens of more
 * than 255 bytes are left out: merging finds them.
 */
let short: usize = 0;
let shortShift: u64 = 0;
let shortMask: usize = 0;
let medium: usize = 0;
let mediumShift: u64 = 0;
let mediumMask: usize = 0;
let long: usize = 0;
let longShift: u64 = 0;
let longMask: usize = 0;
let bytes: usize = 0;
let used: usize = 0;
let longest: u32 = 0;

export function reserveVocabulary(
  log2Short: u32,
  log2Medium: u32,
  log2Long: u32,
  longBytes: u32,
): void {
  short = reserve((<usize>8) << log2Short);
  shortShift = 64 - log2Short;
  shortMask = ((<usize>1) << log2Short) - 1;
  medium = reserve((<usize>16) << log2Medium);
  mediumShift = 64 - log2Medium;
  mediumMask = ((<usize>1) << log2Medium) - 1;
  long = reserve((<usize>8) << log2Long);
  longShift = 64 - log2Long;
  longMask = ((<usize>1) << log2Long) - 1;
  bytes = reserve(longBytes + 16);
}

/** Adds the `n` bytes at `p`. Up to 15 bytes are not copied. */
export function addToken(p: usize, n: u32): void {
  if (n > 255) return;
  if (n > longest) longest = n;
  if (n < 8) {
    const key = lowBytes(load<u64>(p), n) | ((<u64>n) << 56);
    let i = <usize>(hash1(key) >>> shortShift);
    while (load<u64>(short + (i << 3)) != 0) i = (i + 1) & shortMask;
    store<u64>(short + (i << 3), key);
    return;
  }
  if (n < 16) {
    const low = load<u64>(p);
    const high = lowBytes(load<u64>(p, 8), n - 8) | ((<u64>n) << 56);
    let i = <usize>(hash2(low, high) >>> mediumShift);
    while (load<u64>(medium + (i << 4), 8) != 0) i = (i + 1) & mediumMask;
    store<u64>(medium + (i << 4), low);
    store<u64>(medium + (i << 4), high, 8);
    return;
  }
  const hash = hashBytes(p, n);
  let i = <usize>(hash >>> longShift);
  while (load<u64>(long + (i << 3)) != 0) i = (i + 1) & longMask;
  store<u64>(long + (i << 3), (hash << 32) | (<u64>used << 8) | n);
  memory.copy(bytes + used, p, n);
  used += n;
}

export function longestToken(): u32 {
  return longest;
}

export function setLongestToken(bytes: u32): void {
  longest = bytes;
}

export function isToken(p: usize, n: u32): bool {
  if (n < 8) return isShort(lowBytes(load<u64>(p), n) | ((<u64>n) << 56));
  if (n < 16) return isMedium(load<u64>(p), lowBytes(load<u64>(p, 8), n - 8) | ((<u64>n) << 56));
  return n <= longest && isLong(p, n);
}

/** First slot to probe for a token of up to 7 bytes. */
// @ts-ignore: decorator
@inline
export function shortPlace(key: u64): usize {
  return short + (<usize>(hash1(key) >>> shortShift) << 3);
}

// @ts-ignore: decorator
@inline
export function mediumPlace(low: u64, high: u64): usize {
  return medium + (<usize>(hash2(low, high) >>> mediumShift) << 4);
}

// @ts-ignore: decorator
@inline
function isShort(key: u64): bool {
  return isShortFrom(key, load<u64>(shortPlace(key)));
}

/** @param slot content of the first probed slot */
// @ts-ignore: decorator
@inline
export function isShortFrom(key: u64, slot: u64): bool {
  return slot == key || (slot != 0 && isShortBehind(key));
}

function isShortBehind(key: u64): bool {
  let i = <usize>(hash1(key) >>> shortShift);
  let slot: u64;
  do {
    i = (i + 1) & shortMask;
    slot = load<u64>(short + (i << 3));
    if (slot == key) return true;
  } while (slot != 0);
  return false;
}

// @ts-ignore: decorator
@inline
function isMedium(low: u64, high: u64): bool {
  return isMediumFrom(low, high, load<u64>(mediumPlace(low, high), 8));
}

/** @param slot second word of the first probed slot */
// @ts-ignore: decorator
@inline
export function isMediumFrom(low: u64, high: u64, slot: u64): bool {
  return slot != 0 && isMediumInside(low, high);
}

function isMediumInside(low: u64, high: u64): bool {
  let i = <usize>(hash2(low, high) >>> mediumShift);
  let slot = load<u64>(medium + (i << 4), 8);
  while (slot != 0) {
    if (slot == high && load<u64>(medium + (i << 4)) == low) return true;
    i = (i + 1) & mediumMask;
    slot = load<u64>(medium + (i << 4), 8);
  }
  return false;
}

function isLong(p: usize, n: u32): bool {
  const hash = hashBytes(p, n);
  const tag = <u32>hash;
  let i = <usize>(hash >>> longShift);
  let slot = load<u64>(long + (i << 3));
  while (slot != 0) {
    if (<u32>(slot >>> 32) == tag && ((<u32>slot) & 255) == n) {
      if (sameBytes(bytes + <usize>((<u32>slot) >>> 8), p, n)) return true;
    }
    i = (i + 1) & longMask;
    slot = load<u64>(long + (i << 3));
  }
  return false;
}
