/**
 * SipHash-1-3 with 128 bits of output (Aumasson and Bernstein, 2012). Without the key nobody can
 * construct a collision, so no caller can get one message counted as another.
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

/** Absorbs whole words from `from`. Returns where it stopped, less than eight bytes before `to`. */
export function hashWords(from: usize, to: usize): usize {
  // Locals stay in registers, globals live in memory.
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

/** Absorbs the rest and writes the 16-byte hash to `out`. `bytes`: length of the whole text. */
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

/** Domain separator, hashed after the text: Latin-1 and UTF-16 texts may have equal bytes. */
const NARROW: u8 = 0;
const WIDE: u8 = 1;

/**
 * Hashes the `n` UTF-16 units at `from`, as Latin-1 if possible, which halves the bytes. Needs the
 * same amount of memory after them, plus 64 bytes.
 */
export function hashUnits(from: usize, n: u32, out: usize): void {
  const to = from + (<usize>n << 1);
  v128.store(to, i8x16.splat(0));
  v128.store(to, i8x16.splat(0), 16);
  const narrow = to + 32;
  if (isWide(from, to, narrow)) hashWhole(from, 2 * n, WIDE, out);
  else hashWhole(narrow, n, NARROW, out);
}

/** Whether any unit needs two bytes. If not, the Latin-1 bytes are at `narrow`. */
function isWide(from: usize, to: usize, narrow: usize): bool {
  let all = i8x16.splat(0);
  for (; from < to; from += 32) {
    const low = v128.load(from);
    const high = v128.load(from, 16);
    all = v128.or(all, v128.or(low, high));
    v128.store(narrow, i8x16.narrow_i16x8_u(low, high));
    narrow += 16;
  }
  return v128.any_true(v128.and(all, i16x8.splat(<i16>0xff00)));
}

function hashWhole(from: usize, bytes: u32, kind: u8, out: usize): void {
  const to = from + bytes;
  store<u8>(to, kind);
  startHash();
  finishHash(hashWords(from, to + 1), to + 1, bytes + 1, out);
}
