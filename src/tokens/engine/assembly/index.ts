/**
 * Counts the tokens of a text without producing a list of them. The host writes the class table and
 * the table of canonical pairs into the memory, calls the functions that build them, and then
 * writes UTF-16 text, chunk by chunk.
 */
import { addPiece, countWaiting, reserveBatch } from './batch';
import {
  END,
  buildClasses,
  classAt,
  forgetEnd,
  reserveClasses,
  setDistance,
  touchedEnd,
} from './classes';
import { noteSeam, reserveCuts } from './cuts';
import { ensure, openArea } from './memory';
import { reserveMerge } from './merge';
import { addBytePair, addPair, byteIds, reservePairs } from './pairs';
import { reservePieces } from './pieces';
import { nextPiece } from './split';
import { buildOrders, closeText, transcode, unitsBetween } from './transcode';
import { addToken, reserveVocabulary } from './vocabulary';

export { setSplitter } from './split';
export { clearPieces, setWholePieces } from './pieces';
export { setHashKey, startHash, hashWords, finishHash, hashUnits } from './siphash';
export { longestToken, setLongestToken } from './vocabulary';
export { setReachable } from './cuts';
export { reserveClasses, buildClasses };

/**
 * Allocates the tables. Numbers of slots for tokens of up to 7, up to 15 and more bytes, and for
 * pairs.
 */
export function reserveTables(
  log2Short: u32,
  log2Medium: u32,
  log2Long: u32,
  log2Pairs: u32,
  longBytes: u32,
): void {
  reserveVocabulary(log2Short, log2Medium, log2Long, longBytes);
  reservePairs(log2Pairs);
  reserveCuts();
}

/** Places the work areas over the memory that was needed only to build the tables. */
export function closeTables(): void {
  buildOrders();
  reserveMerge();
  reservePieces();
  reserveBatch();
}

/** Reserves `bytes` bytes after the tables. */
export function openInput(bytes: u32): usize {
  const at = openArea();
  ensure(at + bytes + 64);
  return at;
}

/** Start of the bytes of each known token, then the start of the next token's. */
let starts: usize = 0;
let known: u32 = 0;

/**
 * `bytes`: the 256 single bytes in id order. `scratch`: 4 bytes for each of `tokens` + 1 tokens,
 * then the bytes of all tokens and 16 spare bytes.
 */
export function addSingleBytes(bytes: usize, scratch: usize, tokens: u32): void {
  starts = scratch;
  let at = scratch + (<usize>(tokens + 1) << 2);
  for (let id: u32 = 0; id < 256; id++) {
    const byte = load<u8>(bytes + id);
    store<u32>(byteIds + (<usize>byte << 2), id);
    store<u32>(starts + (<usize>id << 2), <u32>at);
    store<u8>(at, byte);
    addToken(at, 1);
    at++;
  }
  known = 256;
  store<u32>(starts + (<usize>known << 2), <u32>at);
}

/**
 * Adds the next `count` tokens from six planes of `count` bytes: the low, middle and high bytes of
 * the first parts, then of the second parts. A token's bytes are those of its parts.
 */
export function addTokens(planes: usize, count: u32): void {
  for (let i: u32 = 0; i < count; i++) addMerged(planes + i, count);
}

function addMerged(plane: usize, length: u32): void {
  const a = threeBytes(plane, length);
  const b = threeBytes(plane + 3 * length, length);
  const id = known;
  const at = <usize>load<u32>(starts + (<usize>id << 2));
  const seam = copyToken(a, at);
  const n = seam + copyToken(b, at + seam);
  if (n == 2) addBytePair(load<u8>(at), load<u8>(at, 1), id);
  addPair(a, b, id);
  noteSeam(at, seam, n, id);
  addToken(at, n);
  known = id + 1;
  store<u32>(starts + (<usize>known << 2), <u32>at + n);
}

/** Adds further merges: `count` times first part, second part and result, four bytes each. */
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

/** Returns the token's length. Writes up to seven bytes past its end. */
// @ts-ignore: decorator
@inline
function copyToken(id: u32, to: usize): u32 {
  const at = starts + (<usize>id << 2);
  const from = <usize>load<u32>(at);
  const n = load<u32>(at, 4) - <u32>from;
  store<u64>(to, load<u64>(from));
  for (let i: u32 = 8; i < n; i += 8) store<u64>(to + i, load<u64>(from + i));
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
 * UTF-8 of the text, the classes of its bytes, then its UTF-16, which is overwritten by the work
 * area.
 */
let text: usize = 0;
let units: usize = 0;

/** Reserves memory for a text of `n` UTF-16 units and returns the address to write them to. */
export function openText(n: u32): usize {
  const bytes: usize = (3 * n + 127) & ~63;
  text = openArea();
  setDistance(bytes);
  units = text + 2 * bytes;
  ensure(units + 2 * <usize>n + 64);
  return units;
}

/**
 * Counts the pieces of the `n` units written before and returns the number of units consumed: all
 * of them when `final` or when a single piece has more than `maxBytes` bytes, otherwise up to the
 * first piece that more text could still change.
 */
export function count(n: u32, final: bool, maxBytes: u32): u32 {
  const to = transcode(units, n, text);
  closeText(to);
  forgetEnd();
  let p = text;
  let sum: u32 = 0;
  while (p < to) {
    const q = nextPiece(p);
    if (touchedEnd || (classAt(q) & END) != 0) {
      if (!final && <u32>(to - p) <= maxBytes) break;
      forgetEnd();
    }
    const bytes = <u32>(q - p);
    sum += bytes == 1 ? 1 : addPiece(p, bytes, units);
    p = q;
  }
  total += sum + countWaiting(units);
  return n - unitsBetween(p, to);
}
