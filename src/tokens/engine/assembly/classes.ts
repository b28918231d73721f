import { reserve } from './memory';

/** Upper case and title case letters. */
export const U: u32 = 1;
/** Lower case letters. */
export const L: u32 = 2;
/** Other letters: modifiers and letters without case. */
const O: u32 = 4;
/** Marks. */
export const M: u32 = 8;
/** Numbers. */
export const N: u32 = 16;
/** White space. */
export const S: u32 = 32;
/** Punctuation and symbols. */
export const P: u32 = 64;
/** End of the text. The text itself is followed by 0xff, a byte that UTF-8 never contains. */
export const END: u32 = 128;

export const LETTER: u32 = U | L | O;
/** Classes that continue a run of either case. */
export const CASELESS: u32 = O | M;
/** Classes that end a run of symbols. Marks count as symbols here. */
const NO_SYMBOL: u32 = S | N | END | LETTER;

const INDEX_BYTES: usize = 4352 * 2;

let index: usize = 0;
let blocks: usize = 0;
let ascii: usize = 0;

/** Size of the class table: 4352 block numbers (u16), then the blocks of 256 classes. */
export function reserveClasses(bytes: u32): usize {
  index = reserve(bytes);
  blocks = index + INDEX_BYTES;
  return index;
}

export function buildClasses(): void {
  ascii = reserve(128);
  memory.copy(ascii, blocks + (<usize>load<u16>(index) << 8), 128);
}

// @ts-ignore: decorator
@inline
export function classOfCode(code: u32): u32 {
  const block: usize = load<u16>(index + (<usize>(code >> 8) << 1));
  return load<u8>(blocks + (block << 8) + (code & 255));
}

/**
 * Classes of 16 ASCII bytes. A swizzle yields 0 for an index above 15, so exactly one of the eight
 * finds the class.
 */
// @ts-ignore: decorator
@inline
export function classesOfAscii(bytes: v128): v128 {
  const table = ascii;
  let classes = i8x16.swizzle(v128.load(table), bytes);
  for (let row: i32 = 1; row < 8; row++) {
    const part = v128.load(table + (<usize>row << 4));
    classes = v128.or(classes, i8x16.swizzle(part, i8x16.sub(bytes, i8x16.splat(<i8>(row << 4)))));
  }
  return classes;
}

/** Distance from a text byte to its class. Every byte of a character has the character's class. */
let distance: usize = 0;

export function setDistance(bytes: usize): void {
  distance = bytes;
}

// @ts-ignore: decorator
@inline
export function placeOfClass(p: usize): usize {
  return p + distance;
}

// @ts-ignore: decorator
@inline
export function classAt(p: usize): u32 {
  return load<u8>(p + distance);
}

/** Set when the end of the text affected the result, so that more text could change it. */
export let touchedEnd: bool = false;

export function touchEnd(): void {
  touchedEnd = true;
}

export function forgetEnd(): void {
  touchedEnd = false;
}

/** Records that a run which may give back its end reached the end of the text. */
// @ts-ignore: decorator
@inline
export function noteEnd(p: usize): void {
  if ((classAt(p) & END) != 0) touchedEnd = true;
}

/** Length in bytes of the character that starts with `lead`. */
// @ts-ignore: decorator
@inline
export function lengthOf(lead: u32): u32 {
  return lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

// @ts-ignore: decorator
@inline
export function afterCharacter(p: usize): usize {
  return p + lengthOf(load<u8>(p));
}

/** Bit mask of those of 16 classes that are not in `mask`. */
// @ts-ignore: decorator
@inline
export function outside(classes: v128, mask: u32): u32 {
  const inside = v128.and(classes, i8x16.splat(<i8>mask));
  return <u32>i8x16.bitmask(i8x16.eq(inside, i8x16.splat(0)));
}

// @ts-ignore: decorator
@inline
export function classesFrom(p: usize): v128 {
  return v128.load(p + distance);
}

/** End of the run of characters whose class is in `mask`. `mask` must not contain END. */
// @ts-ignore: decorator
@inline
export function runOf(p: usize, mask: u32): usize {
  let out = outside(classesFrom(p), mask);
  while (out == 0) {
    p += 16;
    out = outside(classesFrom(p), mask);
  }
  return p + <usize>ctz(out);
}

export function runOfSymbols(p: usize): usize {
  let out = outside(classesFrom(p), NO_SYMBOL);
  while (out == 0xffff) {
    p += 16;
    out = outside(classesFrom(p), NO_SYMBOL);
  }
  return p + <usize>ctz(~out);
}
