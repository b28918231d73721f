/**
 * SipHash-1-3 with 128 bits of output (Aumasson and Bernstein, 2012): without the key nobody can
 * make two texts of equal hash, so no caller can have one message counted as another.
 */
import { lowBytes } from './hash';

let key0: u64 = 0;
let key1: u64 = 0;
let v0: u64 = 0;
let v1: u64 = 0;
let v2: u64 = 0;
let v3: u64 = 0;

export function setHashKey(a: u32, b: u32, c: u32, d: u32): void {
  key0 = ((<u64>a) << 32) | b;
  key1 = ((<u64>c) << 32) | d;
}

export function startHash(): void {
  v0 = key0 ^ 0x736f6d6570736575;
  v1 = key1 ^ 0x646f72616e646f6d ^ 0xee;
  v2 = key0 ^ 0x6c7967656e657261;
  v3 = key1 ^ 0x7465646279746573;
}

// @ts-ignore: decorator
@inline
function round(): void {
  v0 += v1;
  v2 += v3;
  v1 = rotl<u64>(v1, 13) ^ v0;
  v3 = rotl<u64>(v3, 16) ^ v2;
  v0 = rotl<u64>(v0, 32);
  v2 += v1;
  v0 += v3;
  v1 = rotl<u64>(v1, 17) ^ v2;
  v3 = rotl<u64>(v3, 21) ^ v0;
  v2 = rotl<u64>(v2, 32);
}

/** Takes in the whole words from `from`; returns where it stopped, less than eight bytes before `to`. */
export function hashWords(from: usize, to: usize): usize {
  // The state in locals: globals live in memory.
  let a = v0;
  let b = v1;
  let c = v2;
  let d = v3;
  while (from + 8 <= to) {
    const word = load<u64>(from);
    d ^= word;
    a += b;
    c += d;
    b = rotl<u64>(b, 13) ^ a;
    d = rotl<u64>(d, 16) ^ c;
    a = rotl<u64>(a, 32);
    c += b;
    a += d;
    b = rotl<u64>(b, 17) ^ c;
    d = rotl<u64>(d, 21) ^ a;
    c = rotl<u64>(c, 32);
    a ^= word;
    from += 8;
  }
  v0 = a;
  v1 = b;
  v2 = c;
  v3 = d;
  return from;
}

/** Takes in the rest and writes the 16 bytes of the hash to `out`; `bytes`: of the whole text. */
export function finishHash(from: usize, to: usize, bytes: u32, out: usize): void {
  const word = lowBytes(load<u64>(from), <u32>(to - from)) | ((<u64>bytes) << 56);
  v3 ^= word;
  round();
  v0 ^= word;
  v2 ^= 0xee;
  round();
  round();
  round();
  store<u64>(out, v0 ^ v1 ^ v2 ^ v3);
  v1 ^= 0xdd;
  round();
  round();
  round();
  store<u64>(out, v0 ^ v1 ^ v2 ^ v3, 8);
}

/** The hash of a text that is there as a whole. */
export function hashWhole(from: usize, to: usize, out: usize): void {
  startHash();
  finishHash(hashWords(from, to), to, <u32>(to - from), out);
}
