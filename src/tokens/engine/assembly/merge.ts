import { lengthOf } from './classes';
import { characterToken } from './cuts';
import { ensure, reserve } from './memory';
import { NONE, byteIds, bytePair, findPair } from './pairs';

/** From so many parts on a heap beats looking through the array. */
const HEAP_FROM: u32 = 33;
/** A piece of so many bytes may still have few parts. */
const ARRAY_BYTES: u32 = 96;

let ids: usize = 0;
let ranks: usize = 0;

export function reserveMerge(): void {
  ids = reserve(4 * ARRAY_BYTES);
  ranks = reserve(4 * ARRAY_BYTES);
}

/** Tokens of the `n` bytes at `p` when merged; `work` is free memory. */
export function mergedCount(p: usize, n: u32, work: usize): u32 {
  if (n <= ARRAY_BYTES) {
    const parts = startParts(p, n);
    if (parts < HEAP_FROM) return mergeArray(parts);
  }
  return n < 2 * WINDOW ? mergeHeap(p, n, work) : mergeWindows(p, n, work);
}

/** The same of up to 16 bytes of ASCII. */
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

/** Bytes merged at a time: what that takes fits the processor's cache. */
const WINDOW: u32 = 4096;
/** Bytes a window has in common with the one before: a few of the longest tokens. */
const OVERLAP: u32 = 320;

/**
 * A long piece in overlapping windows, each from the start of a token of the one before. When both
 * have the same token there, the tokens before it and those from it on are what the whole gives:
 *
 * Tokens are the outcome when any two neighbours merged alone stay these two. For take the first
 * merge across a seam: until then both sides merged as if alone, so merging the two would do it too.
 * And two neighbours in a window do stay these two, as nothing merged across their outer ends.
 *
 * Where the tokens differ the window is doubled, so the worst case is that of one heap.
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

/** The part behind that at `i`, once merged; LAST behind the last. */
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
 * Puts the ids merging starts from into `ids`, a character or a byte each, and the merges of
 * neighbours into `ranks`; returns how many parts there are.
 */
function startParts(p: usize, n: u32): u32 {
  const from = p;
  const to = p + n;
  let parts: u32 = 0;
  // Whether the part before is a byte: two bytes have a table of their own.
  let afterByte = false;
  let before: u32 = 0;
  while (p < to) {
    const byte: u32 = load<u8>(p);
    let id: u32 = 0;
    let next = p + 1;
    if (byte >= 0xc0) {
      const length = lengthOf(byte);
      // What begins inside a character, or ends there, is bytes.
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

/** A part of a long piece: next, previous, id, rank of the merge with the next. */
const PART: usize = 16;
const LAST: u32 = 0xffffffff;

/**
 * Bytes of work a piece of `n` bytes takes: the parts, and two heap entries each, as a merge takes
 * one entry off the heap and puts two on it.
 */
export function workBytes(n: u32): usize {
  return <usize>n * (PART + 16) + 64;
}

/**
 * The same by a binary heap of rank << 32 | position, so equal ranks come leftmost first. An entry
 * whose rank is no longer its position's is stale. O(n log n).
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
