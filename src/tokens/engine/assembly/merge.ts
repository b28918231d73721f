import { lengthOf } from './classes';
import { characterToken } from './cuts';
import { ensure, reserve } from './memory';
import { NONE, byteIds, bytePair, findPair } from './pairs';

/** From this number of parts on, a heap is faster than a linear scan. */
const HEAP_FROM: u32 = 33;
/** Pieces up to this length may still have few parts. */
const ARRAY_BYTES: u32 = 96;

let ids: usize = 0;
let ranks: usize = 0;

export function reserveMerge(): void {
  ids = reserve(4 * ARRAY_BYTES);
  ranks = reserve(4 * ARRAY_BYTES);
}

/** Number of tokens after merging the `n` bytes at `p`. `work` is free memory. */
export function mergedCount(p: usize, n: u32, work: usize): u32 {
  if (n <= ARRAY_BYTES) {
    const parts = startParts(p, n);
    if (parts < HEAP_FROM) return mergeArray(parts);
  }
  return n < 2 * WINDOW ? mergeHeap(p, n, work) : mergeWindows(p, n, work);
}

/** The same for up to 16 bytes of ASCII. */
export function mergedAscii(p: usize, n: u32): u32 {
  const last = n - 1;
  let byte: u32 = load<u8>(p);
  for (let i: u32 = 0; i < last; i++) {
    const next: u32 = load<u8>(p + i, 1);
    put(ids, i, at(byteIds, byte));
    put(ranks, i, bytePair(byte, next));
    byte = next;
  }
  put(ids, last, at(byteIds, byte));
  return mergeArray(n);
}

/** Window size in bytes. Its working set fits the processor's cache. */
const WINDOW: u32 = 4096;
/** Overlap of two windows in bytes: several times the longest token. */
const OVERLAP: u32 = 320;

/**
 * Merges a long piece in overlapping windows. Each window starts at a token start of the previous
 * one. When both windows contain the same token, the result for the whole piece is the tokens
 * before it from the first window and the tokens from it on from the second:
 *
 * A sequence of tokens is the result if merging the bytes of any two neighbours yields these two
 * tokens. Proof: consider the first merge across a boundary. Until then both sides merged
 * independently, so merging the two alone would make the same merge. Two neighbours in a window
 * have this property, because nothing merged across their far ends.
 *
 * When the windows have no token in common the window is doubled, so the worst case equals a single
 * heap.
 */
function mergeWindows(p: usize, n: u32, work: usize): u32 {
  let size = WINDOW;
  let start: u32 = 0;
  let count: u32 = 0;
  let left = mergeHeap(p, size, work);
  while (start + size < n) {
    let shared: u32 = 0;
    let before: u32 = 0;
    while (shared < size - OVERLAP) {
      shared = nextPart(work, shared);
      before++;
    }
    const end = shared < size ? nextPart(work, shared) : LAST;
    if (end != LAST) {
      const length = min(size, n - start - shared);
      left = mergeHeap(p + start + shared, length, work);
      if (nextPart(work, 0) + shared == end) {
        start += shared;
        count += before;
        if (start + length == n) break;
        continue;
      }
    }
    size = min(2 * size, n - start);
    left = mergeHeap(p + start, size, work);
  }
  return count + left;
}

/** The part after the one at `i`, after merging; LAST at the end. */
// @ts-ignore: decorator
@inline
function nextPart(work: usize, i: u32): u32 {
  return load<u32>(work + <usize>i * PART);
}

// @ts-ignore: decorator
@inline
function at(table: usize, i: u32): u32 {
  return load<u32>(table + (<usize>i << 2));
}

// @ts-ignore: decorator
@inline
function put(table: usize, i: u32, value: u32): void {
  store<u32>(table + (<usize>i << 2), value);
}

/**
 * Writes the initial ids, one per character or byte, to `ids`, and the merges of neighbours to
 * `ranks`. Returns the number of parts.
 */
function startParts(p: usize, n: u32): u32 {
  const from = p;
  const to = p + n;
  let parts: u32 = 0;
  // Whether the previous part is a byte: pairs of bytes have a separate table.
  let afterByte = false;
  let before: u32 = 0;
  while (p < to) {
    const byte: u32 = load<u8>(p);
    let id: u32 = 0;
    let next = p + 1;
    if (byte >= 0xc0) {
      const length = lengthOf(byte);
      // A character cut by either end of the range is split into bytes.
      if (p + length <= to) id = characterToken(p, length, from, to);
      if (id != 0) next = p + length;
    }
    const isByte = id == 0;
    if (isByte) id = at(byteIds, byte);
    if (parts > 0) {
      const rank = isByte && afterByte ? bytePair(load<u8>(p - 1), byte) : findPair(before, id);
      put(ranks, parts - 1, rank);
    }
    put(ids, parts++, id);
    before = id;
    afterByte = isByte;
    p = next;
  }
  return parts;
}

function mergeArray(parts: u32): u32 {
  let last = parts - 1;
  while (last > 0) {
    let best = NONE;
    let where: u32 = 0;
    for (let i: u32 = 0; i < last; i++) {
      const rank = at(ranks, i);
      if (rank < best) {
        best = rank;
        where = i;
      }
    }
    if (best == NONE) break;
    put(ids, where, best);
    for (let i = where + 1; i < last; i++) {
      put(ids, i, at(ids, i + 1));
      put(ranks, i, at(ranks, i + 1));
    }
    last--;
    if (where < last) put(ranks, where, findPair(best, at(ids, where + 1)));
    if (where > 0) put(ranks, where - 1, findPair(at(ids, where - 1), best));
  }
  return last + 1;
}

/** A part of a long piece: next, previous, id, rank of the merge with the next part. */
const PART: usize = 16;
const LAST: u32 = 0xffffffff;

/**
 * Size of the work area for a piece of `n` bytes: the parts, and two heap entries for each, because
 * a merge pops one entry and pushes two.
 */
export function workBytes(n: u32): usize {
  return <usize>n * (PART + 16) + 64;
}

/**
 * Merges with a binary heap of rank << 32 | position, so equal ranks are merged from left to right.
 * An entry is stale when its rank is no longer the rank of its position. O(n log n).
 */
function mergeHeap(p: usize, n: u32, work: usize): u32 {
  ensure(work + workBytes(n));
  const parts = work;
  heap = work + <usize>n * PART;
  size = 0;
  const last = n - 1;
  for (let i: u32 = 0; i < n; i++) {
    const part = parts + <usize>i * PART;
    store<u32>(part, i == last ? LAST : i + 1);
    store<u32>(part, i == 0 ? LAST : i - 1, 4);
    store<u32>(part, at(byteIds, load<u8>(p + i)), 8);
    const rank = i == last ? NONE : bytePair(load<u8>(p + i), load<u8>(p + i, 1));
    store<u32>(part, rank, 12);
    if (rank != NONE) append(rank, i);
  }
  heapify();
  let left = n;
  while (size > 0) {
    const entry = pop();
    const position = <u32>entry;
    const part = parts + <usize>position * PART;
    const id = <u32>(entry >>> 32);
    if (load<u32>(part, 12) != id) continue;
    left--;
    const gone = parts + <usize>load<u32>(part) * PART;
    const next = load<u32>(gone);
    store<u32>(gone, NONE, 12);
    store<u32>(part, next);
    store<u32>(part, id, 8);
    let rank = NONE;
    if (next != LAST) {
      const following = parts + <usize>next * PART;
      store<u32>(following, position, 4);
      rank = findPair(id, load<u32>(following, 8));
    }
    store<u32>(part, rank, 12);
    if (rank != NONE) push(rank, position);
    const previous = load<u32>(part, 4);
    if (previous != LAST) {
      const preceding = parts + <usize>previous * PART;
      rank = findPair(load<u32>(preceding, 8), id);
      store<u32>(preceding, rank, 12);
      if (rank != NONE) push(rank, previous);
    }
  }
  return left;
}

let heap: usize = 0;
let size: u32 = 0;

// @ts-ignore: decorator
@inline
function entryAt(i: u32): u64 {
  return load<u64>(heap + (<usize>i << 3));
}

// @ts-ignore: decorator
@inline
function setEntry(i: u32, entry: u64): void {
  store<u64>(heap + (<usize>i << 3), entry);
}

function append(rank: u32, position: u32): void {
  setEntry(size++, ((<u64>rank) << 32) | position);
}

function heapify(): void {
  for (let i = size >>> 1; i > 0; i--) siftDown(i - 1, entryAt(i - 1));
}

function push(rank: u32, position: u32): void {
  const entry = ((<u64>rank) << 32) | position;
  let i = size++;
  while (i > 0) {
    const parent = (i - 1) >>> 1;
    if (entryAt(parent) <= entry) break;
    setEntry(i, entryAt(parent));
    i = parent;
  }
  setEntry(i, entry);
}

function pop(): u64 {
  const first = entryAt(0);
  size--;
  if (size > 0) siftDown(0, entryAt(size));
  return first;
}

function siftDown(i: u32, entry: u64): void {
  while (true) {
    let child = (i << 1) + 1;
    if (child >= size) break;
    if (child + 1 < size && entryAt(child + 1) < entryAt(child)) child++;
    if (entryAt(child) >= entry) break;
    setEntry(i, entryAt(child));
    i = child;
  }
  setEntry(i, entry);
}
