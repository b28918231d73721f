/** Bits of a class, as in `../assembly/classes.ts`. */
export const U = 1; // upper case and title case letters
export const L = 2; // lower case letters
const O = 4; // other letters: modifiers and letters without case
export const M = 8; // marks
export const N = 16; // numbers
export const S = 32; // white space
export const P = 64; // punctuation and symbols
export const END = 128; // end of the text

/** Classes that continue a run of either case. */
export const X: number = O | M;

const INDEX_BYTES = 2 * 4352;
const REPLACEMENT = 0xfffd;

/** Character classes of a string in Unicode 16, independent of the host's Unicode version. */
export class CharacterClasses {
  readonly #blocks: Uint8Array;
  readonly #index: DataView;
  readonly #ascii: Uint8Array;

  /** @param table 4352 block numbers of two bytes each, then blocks of 256 classes */
  constructor(table: Uint8Array) {
    this.#index = new DataView(table.buffer, table.byteOffset, INDEX_BYTES);
    this.#blocks = table.subarray(INDEX_BYTES);
    this.#ascii = Uint8Array.from({ length: 128 }, (_, code) => this.#classOf(code));
  }

  /** Class of the character at `p`. A lone surrogate is classified as U+FFFD. */
  at(text: string, p: number): number {
    if (p >= text.length) return END;
    const unit = text.charCodeAt(p);
    if (unit < 128) return this.#ascii[unit] ?? 0;
    const code = text.codePointAt(p) ?? 0;
    return this.#classOf(code >= 0xd800 && code < 0xe000 ? REPLACEMENT : code);
  }

  #classOf(code: number): number {
    const block = this.#index.getUint16(2 * (code >>> 8), true);
    return this.#blocks[256 * block + (code & 255)] ?? 0;
  }

  /** End of the run of characters whose class is in `mask`. */
  runOf(text: string, p: number, mask: number): number {
    let end = p;
    while ((this.at(text, end) & mask) !== 0) end = after(text, end);
    return end;
  }

  runOfLetters(text: string, p: number): number {
    let end = p;
    while (isLetter(this.at(text, end))) end = after(text, end);
    return end;
  }

  runOfSymbols(text: string, p: number): number {
    let end = p;
    while (isSymbol(this.at(text, end))) end = after(text, end);
    return end;
  }
}

/** Start of the character after the one at `p`. */
export function after(text: string, p: number): number {
  return p + ((text.codePointAt(p) ?? 0) > 0xffff ? 2 : 1);
}

export function isNewline(text: string, p: number): boolean {
  const c = text[p];
  return c === '\n' || c === '\r';
}

export function behindLastNewline(text: string, p: number, end: number): number | undefined {
  for (let q = end; q > p; q--) if (isNewline(text, q - 1)) return q;
  return undefined;
}

export function isLetter(c: number): boolean {
  return (c & (U | L | O)) !== 0;
}

/** Neither white space, number nor letter. Marks count as symbols here. */
function isSymbol(c: number): boolean {
  return (c & (S | N | END)) === 0 && !isLetter(c);
}
