import { lengthOf } from './classes';
import { reserve } from './memory';

/**
 * Where a piece may be cut before merging: between two non-ASCII characters that lie across no
 * boundary inside any token. A token across the boundary of characters A and B either holds both
 * completely, then (A, B) is in the filter, or only part of one, then (last byte of A, first byte
 * of B) is marked. A collision in the filter misses a cut and never makes a wrong one.
 *
 * A finer rule (ranks in place of the marks) held on every generated string and failed on Chinese
 * behind a space: keep the rule as it is.
 */
const FILTER_BITS: u32 = 19;

let filter: usize = 0;
let marks: usize = 0;

export function reserveCuts(): void {
  filter = reserve(1 << (FILTER_BITS - 3));
  marks = reserve(65536 >>> 3);
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

// @ts-ignore: decorator
@inline
function hasBit(table: usize, bit: u32): bool {
  return ((load<u8>(table + (bit >>> 3)) >>> (bit & 7)) & 1) != 0;
}

/** The bytes of a character as a number: as good as its code point here. */
// @ts-ignore: decorator
@inline
function characterAt(p: usize, n: u32): u32 {
  return load<u32>(p) & (n == 4 ? 0xffffffff : ((<u32>1) << (n << 3)) - 1);
}

/**
 * Notes the boundary at `seam`, where the two parts of a token meet. Those inside the parts were
 * noted with the parts, and one that was marked then stays no cut whatever stands around it here.
 */
export function noteSeam(p: usize, seam: u32, n: u32): void {
  const second: u32 = load<u8>(p + seam);
  const before: u32 = load<u8>(p + seam - 1);
  if (second < 0xc0 || before < 0x80) return;
  const start = completeBefore(p, seam);
  const length = lengthOf(second);
  if (start != seam && completeAt(p + seam, length, n - seam)) {
    setBit(filter, filterBit(characterAt(p + start, seam - start), characterAt(p + seam, length)));
  } else {
    setBit(marks, (before << 8) | second);
  }
}

/** Start of the whole character that ends before `i`, or `i` when its start is not in the token. */
function completeBefore(p: usize, i: u32): u32 {
  let start = i - 1;
  while (start > 0 && (<u32>load<u8>(p + start) & 0xc0) == 0x80) start--;
  const lead: u32 = load<u8>(p + start);
  return lead >= 0xc0 && lengthOf(lead) == i - start ? start : i;
}

function completeAt(p: usize, length: u32, available: u32): bool {
  if (available < length) return false;
  for (let i: u32 = 1; i < length; i++) {
    if ((<u32>load<u8>(p + i) & 0xc0) != 0x80) return false;
  }
  return true;
}

/** Whether no token crosses between the characters of `a` and `b` bytes that meet at `p`. */
// @ts-ignore: decorator
@inline
export function isCut(p: usize, a: u32, b: u32): bool {
  if (hasBit(marks, (<u32>load<u8>(p - 1) << 8) | load<u8>(p))) return false;
  return !hasBit(filter, filterBit(characterAt(p - a, a), characterAt(p, b)));
}
