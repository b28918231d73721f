import { reserve } from './memory';

/** Upper case and title case letters. */
export const U: u32 = 1;
/** Lower case letters. */
export const L: u32 = 2;
/** Modifier letters, other letters and every mark. */
export const X: u32 = 4;
/** Marks, besides X. */
export const M: u32 = 8;
/** Numbers. */
export const N: u32 = 16;
/** White space. */
export const S: u32 = 32;
/** Punctuation and symbols. */
export const P: u32 = 64;
/** Behind the text stands 0xff, a byte no UTF-8 contains. */
export const END: u32 = 128;

const INDEX_BYTES: usize = 4352 * 2;

let index: usize = 0;
let blocks: usize = 0;
/** Classes by first byte; of 0x80 and above only END is meant. */
let ascii: usize = 0;

/** Room for the class table: 4352 block numbers (u16), then the blocks of 256 classes. */
export function reserveClasses(bytes: u32): usize {
  index = reserve(bytes);
  blocks = index + INDEX_BYTES;
  return index;
}

export function buildClasses(): void {
  ascii = reserve(256);
  memory.copy(ascii, blocks + (<usize>load<u16>(index) << 8), 128);
  store<u8>(ascii + 0xff, END);
}

// @ts-ignore: decorator
@inline
export function asciiClass(byte: u32): u32 {
  return load<u8>(ascii + byte);
}

/** True once a look at the end of the text has decided something: more text could change it. */
export let touchedEnd: bool = false;

export function touchEnd(): void {
  touchedEnd = true;
}

export function forgetEnd(): void {
  touchedEnd = false;
}

/** Class of the character at `p` in the low byte, its length in bytes above. */
export function charAt(p: usize): u32 {
  const b: u32 = load<u8>(p);
  if (b < 0x80) return <u32>load<u8>(ascii + b) | 0x100;
  if (b == 0xff) {
    touchedEnd = true;
    return END;
  }
  let code: u32;
  let length: u32;
  if (b < 0xe0) {
    code = ((b & 31) << 6) | (<u32>load<u8>(p, 1) & 63);
    length = 0x200;
  } else if (b < 0xf0) {
    code = ((b & 15) << 12) | ((<u32>load<u8>(p, 1) & 63) << 6) | (<u32>load<u8>(p, 2) & 63);
    length = 0x300;
  } else {
    code =
      ((b & 7) << 18) |
      ((<u32>load<u8>(p, 1) & 63) << 12) |
      ((<u32>load<u8>(p, 2) & 63) << 6) |
      (<u32>load<u8>(p, 3) & 63);
    length = 0x400;
  }
  const block: usize = load<u16>(index + (<usize>(code >> 8) << 1));
  return <u32>load<u8>(blocks + (block << 8) + (code & 255)) | length;
}

// @ts-ignore: decorator
@inline
export function isLetter(c: u32): bool {
  return (c & (U | L | X)) != 0 && (c & M) == 0;
}

/** Neither white space nor number nor letter: marks are symbols here. */
// @ts-ignore: decorator
@inline
function isSymbol(c: u32): bool {
  return (c & (S | N | END)) == 0 && !isLetter(c);
}

/** End of the run of characters in any of the classes `mask`. */
export function runOf(p: usize, mask: u32): usize {
  let c = charAt(p);
  while ((c & mask) != 0) {
    p += c >> 8;
    c = charAt(p);
  }
  return p;
}

export function runOfLetters(p: usize): usize {
  let c = charAt(p);
  while (isLetter(c)) {
    p += c >> 8;
    c = charAt(p);
  }
  return p;
}

export function runOfSymbols(p: usize): usize {
  let c = charAt(p);
  while (isSymbol(c)) {
    p += c >> 8;
    c = charAt(p);
  }
  return p;
}
