/**
 * Counts tokens of UTF-8 text; never makes a list of them. The host writes a table of classes and a
 * table of canonical pairs into the memory, has them built, then text, chunk by chunk.
 */
import { buildClasses, forgetEnd, reserveClasses, touchedEnd } from './classes';
import { noteToken, reserveCuts } from './cuts';
import { ensure, openArea } from './memory';
import { reserveMerge } from './merge';
import { addBytePair, addPair, byteIds, reservePairs } from './pairs';
import { countPiece, reservePieces } from './pieces';
import { nextPiece } from './split';
import { addToken, nextToken, reserveVocabulary } from './vocabulary';

export { setSplitter } from './split';
export { clearPieces, setWholePieces } from './pieces';
export { setHashKey, startHash, hashWords, finishHash, hashWhole } from './siphash';
export { longestToken, setLongestToken } from './vocabulary';
export { reserveClasses, buildClasses };

/** Tables of so many slots: tokens of up to 7, up to 15 and more bytes, and pairs. */
export function reserveTables(
  log2Short: u32,
  log2Medium: u32,
  log2Long: u32,
  log2Pairs: u32,
  bytes: u32,
): void {
  reserveVocabulary(log2Short, log2Medium, log2Long, bytes);
  reservePairs(log2Pairs);
  reserveCuts();
  reserveMerge();
  reservePieces();
}

/** Room for `bytes` bytes of input behind the tables; the text area once they are built. */
export function openInput(bytes: u32): usize {
  const at = openArea();
  ensure(at + bytes + 64);
  return at;
}

let starts: usize = 0;
let known: u32 = 0;

/** `bytes`: the 256 single bytes in the order of their ids; `scratch`: 4 bytes a token. */
export function addSingleBytes(bytes: usize, scratch: usize): void {
  starts = scratch;
  for (let id: u32 = 0; id < 256; id++) {
    const byte = load<u8>(bytes + id);
    store<u32>(byteIds + (<usize>byte << 2), id);
    store<u32>(starts + (<usize>id << 2), <u32>nextToken());
    store<u8>(nextToken(), byte);
    addToken(1);
  }
  known = 256;
  store<u32>(starts + (<usize>known << 2), <u32>nextToken());
}

/**
 * Tokens `from` to `to` (exclusive) out of `planes`, six planes of `length` bytes: the low, middle
 * and high bytes of the first parts, then of the second. A token's bytes are those of its parts.
 */
export function addTokens(planes: usize, length: u32, from: u32, to: u32): void {
  for (let i = from; i < to; i++) addMerged(planes + i, length);
}

function addMerged(plane: usize, length: u32): void {
  const a = threeBytes(plane, length);
  const b = threeBytes(plane + 3 * length, length);
  const id = known;
  const at = nextToken();
  const n = copyToken(a, at) + copyToken(b, at + lengthOfToken(a));
  if (a < 256 && b < 256) addBytePair(load<u8>(at), load<u8>(at, 1), id);
  addPair(a, b, id);
  noteToken(at, n);
  addToken(n);
  known = id + 1;
  store<u32>(starts + (<usize>known << 2), <u32>nextToken());
}

/** Further merges: `count` times first part, second part, result, four bytes each. */
export function addPairs(triples: usize, count: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    const at = triples + <usize>i * 12;
    addPair(load<u32>(at), load<u32>(at, 4), load<u32>(at, 8));
  }
}

function threeBytes(plane: usize, length: u32): u32 {
  return (
    <u32>load<u8>(plane) | (<u32>load<u8>(plane + length) << 8) | (<u32>load<u8>(plane + 2 * length) << 16)
  );
}

function lengthOfToken(id: u32): u32 {
  const at = starts + (<usize>id << 2);
  return load<u32>(at, 4) - load<u32>(at);
}

function copyToken(id: u32, to: usize): u32 {
  const n = lengthOfToken(id);
  const from = <usize>load<u32>(starts + (<usize>id << 2));
  memory.copy(to, from, n);
  return n;
}

let total: u32 = 0;

/** Tokens counted since the last call. */
export function takeTotal(): u32 {
  const count = total;
  total = 0;
  return count;
}

/**
 * Counts the pieces between `from` and `to` and returns where it stopped: at `to` when `final`, else
 * before the first piece that more text could still change.
 */
export function count(from: usize, to: usize, final: bool): usize {
  const work = (to + 127) & ~63;
  ensure(work);
  store<u64>(to, 0xffffffffffffffff);
  store<u64>(to, 0xffffffffffffffff, 8);
  forgetEnd();
  let p = from;
  let sum: u32 = 0;
  while (p < to) {
    const q = nextPiece(p);
    if (touchedEnd) {
      if (!final) break;
      forgetEnd();
    }
    sum += countPiece(p, <u32>(q - p), work);
    p = q;
  }
  total += sum;
  return p;
}
