import { END, classOfCode, classesOfAscii, placeOfClass } from './classes';
import { reserve } from './memory';

/** Replacement for a lone surrogate. */
const REPLACEMENT: u32 = 0xfffd;
const BLOCK: usize = 32;

/**
 * Shuffle masks that pack four words of one to three bytes. Index: four bits for the words with a
 * second byte, four bits for those with a third.
 */
let orders: usize = 0;

export function buildOrders(): void {
  orders = reserve(256 << 4);
  for (let lengths: u32 = 0; lengths < 256; lengths++) {
    let at = orders + (<usize>lengths << 4);
    v128.store(at, i8x16.splat(-1));
    for (let word: u32 = 0; word < 4; word++) {
      const bytes: u32 = ((lengths >>> word) & 1) + ((lengths >>> (word + 4)) & 1) + 1;
      for (let byte: u32 = 0; byte < bytes; byte++) store<u8>(at++, 4 * word + byte);
    }
  }
}

/**
 * Transcodes the `n` UTF-16 units at `from` to UTF-8 at `to`, writes the class of each byte, and
 * returns the end. Needs 3 bytes per unit plus 32 at `to`, and 32 readable bytes after the units.
 */
export function transcode(from: usize, n: u32, to: usize): usize {
  const end = from + (<usize>n << 1);
  // The last block of 16 may reach past the end.
  v128.store(end, i8x16.splat(0));
  v128.store(end, i8x16.splat(0), 16);
  let p = to;
  while (from < end) {
    const low = v128.load(from);
    const high = v128.load(from, 16);
    if (!v128.any_true(v128.and(v128.or(low, high), i16x8.splat(<i16>0xff80)))) {
      const bytes = i8x16.narrow_i16x8_u(low, high);
      v128.store(p, bytes);
      v128.store(placeOfClass(p), classesOfAscii(bytes));
      p += 16;
      from += BLOCK;
      continue;
    }
    const stop = min(from + BLOCK, end);
    while (from < stop) {
      const four = v128.load_ext<u16>(from);
      const high5 = v128.and(four, i32x4.splat(0xf800));
      if (v128.any_true(i32x4.eq(high5, i32x4.splat(0xd800)))) {
        const c: u32 = load<u16>(from);
        // The unit after the end is 0, which is not a surrogate.
        const next: u32 = load<u16>(from, 2);
        if ((c & 0xfc00) == 0xd800 && (next & 0xfc00) == 0xdc00) {
          p = writePair(p, 0x10000 + ((c & 0x3ff) << 10) + (next & 0x3ff));
          from += 4;
        } else {
          p = writeOne(p, (c & 0xf800) == 0xd800 ? REPLACEMENT : c);
          from += 2;
        }
        continue;
      }
      // Branch-free: the next length is unpredictable.
      const above1 = i32x4.gt_s(four, i32x4.splat(0x7f));
      const above2 = i32x4.gt_s(four, i32x4.splat(0x7ff));
      const lengths = i32x4.bitmask(above1) | (i32x4.bitmask(above2) << 4);
      const order = v128.load(orders + (<usize>lengths << 4));
      const low6 = v128.and(four, i32x4.splat(63));
      const next6 = i32x4.shr_u(four, 6);
      const two = v128.or(
        v128.or(next6, i32x4.shl(low6, 8)),
        i32x4.splat(0x80c0),
      );
      const three = v128.or(
        v128.or(i32x4.shr_u(four, 12), i32x4.shl(v128.and(next6, i32x4.splat(63)), 8)),
        v128.or(i32x4.shl(low6, 16), i32x4.splat(0x8080e0)),
      );
      const words = v128.bitselect(three, v128.bitselect(two, four, above1), above2);
      v128.store(p, i8x16.swizzle(words, order));
      const classes =
        classOfCode(load<u16>(from)) |
        (classOfCode(load<u16>(from, 2)) << 8) |
        (classOfCode(load<u16>(from, 4)) << 16) |
        (classOfCode(load<u16>(from, 6)) << 24);
      v128.store(placeOfClass(p), i8x16.swizzle(i32x4.splat(classes), i8x16.shr_u(order, 2)));
      p += 4 + <usize>popcnt(lengths);
      from += 8;
    }
  }
  return p - ((from - end) >>> 1);
}

function writeOne(p: usize, c: u32): usize {
  const two = 0x80c0 | (c >>> 6) | ((c & 63) << 8);
  const three = 0x8080e0 | (c >>> 12) | (((c >>> 6) & 63) << 8) | ((c & 63) << 16);
  store<u32>(p, c < 0x80 ? c : c < 0x800 ? two : three);
  store<u32>(placeOfClass(p), classOfCode(c) * 0x01010101);
  return p + 1 + <usize>(c > 0x7f) + <usize>(c > 0x7ff);
}

// @ts-ignore: decorator
@inline
function writePair(p: usize, code: u32): usize {
  const bytes =
    0x808080f0 |
    (code >>> 18) |
    (((code >>> 12) & 63) << 8) |
    (((code >>> 6) & 63) << 16) |
    ((code & 63) << 24);
  store<u32>(p, bytes);
  store<u32>(placeOfClass(p), classOfCode(code) * 0x01010101);
  return p + 4;
}

/** Writes the end marker after the text and after the classes. */
export function closeText(end: usize): void {
  v128.store(end, i8x16.splat(<i8>0xff));
  v128.store(placeOfClass(end), i8x16.splat(<i8>END));
}

/** Number of UTF-16 units in the UTF-8 between `from` and `to`. */
export function unitsBetween(from: usize, to: usize): u32 {
  let units: u32 = 0;
  for (; from < to; from++) {
    const b: u32 = load<u8>(from);
    units += <u32>((b & 0xc0) != 0x80) + <u32>(b >= 0xf0);
  }
  return units;
}
