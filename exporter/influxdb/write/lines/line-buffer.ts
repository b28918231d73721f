import type { Ascii } from './ascii.ts';
import { quoteString } from './escaping.ts';

const FIRST_BYTES = 4096;
/** What one long line needed is given back after it. */
const MAX_KEPT_BYTES = 256 * 1024;
const LINE_FEED = 10;
const POINT = 46;
const ZERO = 48;
const SPACE = 32;
const QUOTE = 34;
const COMMA = 44;
const BACKSLASH = 92;
const DELETE = 127;
/** Numbers below are split into digits here, all others by the engine. */
const MAX_SMALL = 1e9;
/** Fractions of so many digits are split into them here. */
const FRACTION_DIGITS = 6;
const FRACTION = 10 ** FRACTION_DIGITS;
/** Short texts are copied faster here than by a call into the engine. */
const MAX_SHORT = 48;

/**
 * The bytes of one line while it is written, used again for the next. Strings put together by
 * concatenation would be copied twice more: made flat, and encoded.
 */
export class LineBuffer {
  #bytes: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #view = viewOf(this.#bytes);
  #length = 0;
  #isMultiline = false;

  get length(): number {
    return this.#length;
  }

  /** Whether a line break may be in it, inside a string. */
  get isMultiline(): boolean {
    return this.#isMultiline;
  }

  /** Begins the next line. */
  clear(): void {
    this.#length = 0;
    this.#isMultiline = false;
    if (this.#bytes.length > MAX_KEPT_BYTES) this.#use(Buffer.allocUnsafeSlow(FIRST_BYTES));
  }

  /** Takes back what was written from byte `length` on. */
  cutTo(length: number): void {
    this.#length = length;
  }

  /** Copies the line into `target`, which has room for it. */
  copyTo(target: Buffer, at: number): void {
    this.#bytes.copy(target, at, 0, this.#length);
  }

  toString(): string {
    return this.#bytes.toString('utf8', 0, this.#length);
  }

  /** Any text, as UTF-8. */
  text(text: string): void {
    const { length } = text;
    const bytes = this.#room(length * 3);
    let at = this.#length;
    if (length <= MAX_SHORT) {
      for (let i = 0; i < length; i++) {
        const code = text.charCodeAt(i);
        if (code > DELETE) return this.#encode(text);
        if (code === LINE_FEED) this.#isMultiline = true;
        bytes[at++] = code;
      }
      this.#length = at;
    } else this.#encode(text);
  }

  /** ASCII known beforehand. */
  ascii({ words, length }: Ascii): void {
    this.#room(words.length * 4);
    const view = this.#view;
    let at = this.#length;
    for (let i = 0; i < words.length; i++, at += 4) view.setInt32(at, words[i] as number, true);
    this.#length += length;
  }

  /** Bytes written before. */
  bytes(source: Buffer): void {
    const { length } = source;
    const bytes = this.#room(length);
    const start = this.#length;
    if (length > MAX_SHORT) source.copy(bytes, start);
    else for (let i = 0; i < length; i++) bytes[start + i] = source[i] as number;
    this.#length = start + length;
  }

  /** A whole number that a double holds exactly. */
  integer(value: number): void {
    if (value < 0 || value >= MAX_SMALL) return this.text(String(value));
    const bytes = this.#room(10);
    let digits = 1;
    for (let limit = 10; value >= limit; limit *= 10) digits++;
    let rest = value | 0;
    for (let at = this.#length + digits - 1; at >= this.#length; at--) {
      const tenth = (rest / 10) | 0;
      bytes[at] = ZERO + rest - tenth * 10;
      rest = tenth;
    }
    this.#length += digits;
  }

  /** A finite number, as short as it is told apart from every other. */
  float(value: number): void {
    if (Number.isSafeInteger(value)) return this.integer(value);
    // Up to 15 digits the decimal that gives the number back is the shortest there is.
    const scaled = Math.round(value * FRACTION);
    if (value > 0 && value < MAX_SMALL && scaled / FRACTION === value) this.#decimal(scaled);
    else this.text(String(value));
  }

  /** A string field in its quotes; false, and nothing is written, when it is too long to be stored. */
  quoted(value: string): boolean {
    const { length } = value;
    if (length > MAX_SHORT) return this.#quotedLong(value);
    const bytes = this.#room(length + 2);
    let at = this.#length;
    bytes[at++] = QUOTE;
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i);
      if (code < SPACE || code >= DELETE || code === QUOTE || code === BACKSLASH) {
        return this.#quotedLong(value);
      }
      bytes[at++] = code;
    }
    bytes[at++] = QUOTE;
    this.#length = at;
    return true;
  }

  /** Fields are written with a comma before each: the one before the first, at `at`, is a space. */
  spaceForComma(at: number): void {
    if (this.#bytes[at] === COMMA) this.#bytes[at] = SPACE;
  }

  #quotedLong(value: string): boolean {
    const quoted = quoteString(value);
    if (quoted === undefined) return false;
    this.text(quoted);
    return true;
  }

  /** `scaled` / 10⁶, which is no whole number. */
  #decimal(scaled: number): void {
    const whole = Math.floor(scaled / FRACTION);
    this.integer(whole);
    const bytes = this.#room(FRACTION_DIGITS + 1);
    bytes[this.#length] = POINT;
    let rest = (scaled - whole * FRACTION) | 0;
    let digits = FRACTION_DIGITS;
    for (; rest % 10 === 0; rest = (rest / 10) | 0) digits--;
    const end = this.#length + 1 + digits;
    for (let at = end - 1; at > this.#length; at--) {
      const tenth = (rest / 10) | 0;
      bytes[at] = ZERO + rest - tenth * 10;
      rest = tenth;
    }
    this.#length = end;
  }

  #encode(text: string): void {
    this.#isMultiline ||= text.includes('\n');
    const bytes = this.#room(text.length * 3);
    this.#length += bytes.write(text, this.#length);
  }

  /** The bytes, with room for `more`. */
  #room(more: number): Buffer {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return this.#bytes;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#use(larger);
    return larger;
  }

  #use(bytes: Buffer): void {
    this.#bytes = bytes;
    this.#view = viewOf(bytes);
  }
}

function viewOf({ buffer, byteOffset, byteLength }: Buffer): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}
