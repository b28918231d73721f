/** Odd constants of splitmix64. */
const A: u64 = 0x9e3779b97f4a7c15;
const B: u64 = 0xbf58476d1ce4e5b9;

/** Mask of the low `n` < 8 bytes. */
// @ts-ignore: decorator
@inline
export function lowBytes(word: u64, n: u32): u64 {
  return word & (((<u64>1) << (n << 3)) - 1);
}

// @ts-ignore: decorator
@inline
export function hash1(word: u64): u64 {
  return (word ^ (word >>> 29)) * A;
}

// @ts-ignore: decorator
@inline
export function hash2(low: u64, high: u64): u64 {
  const h = (low ^ (high * B)) * A;
  return (h ^ (h >>> 31)) * B;
}

/**
 * Hash of `n` bytes; reads up to seven bytes past them. For up to 15 bytes it equals the hash of
 * the hot tables.
 */
export function hashBytes(p: usize, n: u32): u64 {
  if (n < 8) return hash1(lowBytes(load<u64>(p), n) | ((<u64>n) << 56));
  if (n < 16) return hash2(load<u64>(p), lowBytes(load<u64>(p, 8), n - 8) | ((<u64>n) << 56));
  let h: u64 = (<u64>n) * A;
  while (n >= 8) {
    h = (h ^ load<u64>(p)) * B;
    h ^= h >>> 32;
    p += 8;
    n -= 8;
  }
  return hash1((h ^ lowBytes(load<u64>(p), n)) * B);
}

/** Whether the `n` bytes at `a` and `b` are equal; reads up to seven bytes past both. */
export function sameBytes(a: usize, b: usize, n: u32): bool {
  while (n >= 8) {
    if (load<u64>(a) != load<u64>(b)) return false;
    a += 8;
    b += 8;
    n -= 8;
  }
  return lowBytes(load<u64>(a) ^ load<u64>(b), n) == 0;
}
