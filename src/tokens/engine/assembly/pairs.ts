import { reserve } from './memory';

/**
 * Table of merges: two adjacent tokens and the token they merge into. A token's id is its rank, so
 * the id found also gives the order of the merge. Ids have 18 bits, so key and value fit into one
 * word.
 */
export const NONE: u32 = 0xffffffff;

const GOLDEN: u64 = 0x9e3779b97f4a7c15;

let slots: usize = 0;
let shift: u64 = 0;
let mask: usize = 0;
/**
 * Bloom filter with one bit per hash. Most pairs looked up do not exist, and the filter fits the
 * processor's cache while the slots do not.
 */
const FILTER_BITS: u64 = 20;
let filter: usize = 0;
/** Ids of the 256 single bytes. */
export let byteIds: usize = 0;
/** Merges of two bytes, for the first pass over a piece. */
let bytePairs: usize = 0;

export function reservePairs(log2Slots: u32): void {
  slots = reserve((<usize>8) << log2Slots);
  shift = 64 - log2Slots;
  mask = ((<usize>1) << log2Slots) - 1;
  filter = reserve(1 << (<i32>FILTER_BITS - 3));
  byteIds = reserve(256 * 4);
  bytePairs = reserve(65536 * 4);
  memory.fill(bytePairs, 0xff, 65536 * 4);
}

export function addBytePair(first: u32, second: u32, id: u32): void {
  store<u32>(bytePairs + (<usize>((first << 8) | second) << 2), id);
}

// @ts-ignore: decorator
@inline
export function bytePair(first: u32, second: u32): u32 {
  return load<u32>(bytePairs + (<usize>((first << 8) | second) << 2));
}

export function addPair(a: u32, b: u32, id: u32): void {
  const key = ((<u64>a) << 18) | b;
  const hash = key * GOLDEN;
  const bit = <usize>(hash >>> (64 - FILTER_BITS));
  const at = filter + (bit >>> 3);
  store<u8>(at, <u32>load<u8>(at) | ((<u32>1) << (<u32>bit & 7)));
  let i = <usize>(hash >>> shift);
  while (load<u64>(slots + (i << 3)) != 0) i = (i + 1) & mask;
  store<u64>(slots + (i << 3), (key << 18) | id);
}

/** 0 marks an empty slot: the id of a merged token is never 0. */
// @ts-ignore: decorator
@inline
export function findPair(a: u32, b: u32): u32 {
  const key = ((<u64>a) << 18) | b;
  const hash = key * GOLDEN;
  const bit = <usize>(hash >>> (64 - FILTER_BITS));
  if (((<u32>load<u8>(filter + (bit >>> 3)) >>> (<u32>bit & 7)) & 1) == 0) return NONE;
  let i = <usize>(hash >>> shift);
  let slot = load<u64>(slots + (i << 3));
  while (slot != 0) {
    if (slot >>> 18 == key) return (<u32>slot) & 0x3ffff;
    i = (i + 1) & mask;
    slot = load<u64>(slots + (i << 3));
  }
  return NONE;
}
