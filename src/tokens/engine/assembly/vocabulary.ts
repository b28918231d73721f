import { hashBytes, sameBytes } from './hash';
import { reserve } from './memory';

/**
 * Which byte strings are tokens. Open addressing; a slot holds 32 bits of the hash, then where the
 * bytes are (24 bits) and how many (8 bits, so an empty slot is 0). Longer tokens are left out: the
 * merges find them too.
 */
let slots: usize = 0;
let shift: u64 = 0;
let mask: usize = 0;
let bytes: usize = 0;
let used: usize = 0;
let longest: u32 = 0;

export function reserveVocabulary(log2Slots: u32, byteCount: u32): void {
  slots = reserve((<usize>8) << log2Slots);
  shift = 64 - log2Slots;
  mask = ((<usize>1) << log2Slots) - 1;
  bytes = reserve(byteCount + 16);
}

/** Where the next token's bytes go. */
export function nextToken(): usize {
  return bytes + used;
}

/** Takes the `n` bytes at `nextToken()` into the vocabulary. */
export function addToken(n: u32): void {
  const p = bytes + used;
  const offset = used;
  used += n;
  if (n > 255) return;
  if (n > longest) longest = n;
  const hash = hashBytes(p, n);
  let i = <usize>(hash >>> shift);
  while (load<u64>(slots + (i << 3)) != 0) i = (i + 1) & mask;
  store<u64>(slots + (i << 3), (hash << 32) | (<u64>offset << 8) | n);
}

export function longestToken(): u32 {
  return longest;
}

export function setLongestToken(bytes: u32): void {
  longest = bytes;
}

export function isToken(p: usize, n: u32): bool {
  if (n > longest) return false;
  const hash = hashBytes(p, n);
  const tag = <u32>hash;
  let i = <usize>(hash >>> shift);
  let slot = load<u64>(slots + (i << 3));
  while (slot != 0) {
    if (<u32>(slot >>> 32) == tag && ((<u32>slot) & 255) == n) {
      if (sameBytes(bytes + <usize>((<u32>slot) >>> 8), p, n)) return true;
    }
    i = (i + 1) & mask;
    slot = load<u64>(slots + (i << 3));
  }
  return false;
}
