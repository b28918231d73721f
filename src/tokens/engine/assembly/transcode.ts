import { END, classOfCode, classesOfAscii, placeOfClass } from './classes';

/** The character in place of half a surrogate pair. */
const REPLACEMENT: u32 = 0xfffd;
const BLOCK: usize = 32;

/**
 * Writes the `n` UTF-16 units at `from` as UTF-8 to `to`, the class of each byte's character to its
 * place, and returns the end. Takes room for 3 bytes a unit and 32 more, and 32 bytes behind the
 * units.
 */
export function transcode(from: usize, n: u32, to: usize): usize {
  const end = from + (<usize>n << 1);
  // The last block of 16 may reach beyond the end.
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
      let c: u32 = load<u16>(from);
      from += 2;
      if ((c & 0xf800) == 0xd800) {
        // Behind the end stands 0, no half of a pair.
        const next: u32 = load<u16>(from);
        if (c < 0xdc00 && (next & 0xfc00) == 0xdc00) {
          from += 2;
          p = writePair(p, 0x10000 + ((c & 0x3ff) << 10) + (next & 0x3ff));
          continue;
        }
        c = REPLACEMENT;
      }
      // Without branches: which length comes next is not to be foretold.
      const two = 0x80c0 | (c >>> 6) | ((c & 63) << 8);
      const three = 0x8080e0 | (c >>> 12) | (((c >>> 6) & 63) << 8) | ((c & 63) << 16);
      store<u32>(p, select<u32>(c, select<u32>(two, three, c < 0x800), c < 0x80));
      store<u32>(placeOfClass(p), classOfCode(c) * 0x01010101);
      p += 1 + <usize>(c > 0x7f) + <usize>(c > 0x7ff);
    }
  }
  return p - ((from - end) >>> 1);
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

/** Puts the end behind the text, as bytes and as classes. */
export function closeText(end: usize): void {
  v128.store(end, i8x16.splat(<i8>0xff));
  v128.store(placeOfClass(end), i8x16.splat(<i8>END));
}

/** UTF-16 units of the UTF-8 between `from` and `to`. */
export function unitsBetween(from: usize, to: usize): u32 {
  let units: u32 = 0;
  for (; from < to; from++) {
    const b: u32 = load<u8>(from);
    units += <u32>((b & 0xc0) != 0x80) + <u32>(b >= 0xf0);
  }
  return units;
}
