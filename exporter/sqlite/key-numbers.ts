const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const NULL = Buffer.from('null');
const FIRST_SLOTS = 2048;
const FIRST_BYTES = 32_768;

/**
 * Numbers the keys of many blocks, by their bytes. A user has a row in most days: to make a string of each and to
 * look it up in a map takes ten times as long.
 */
export class KeyNumbers {
  /** By number. */
  readonly texts: (string | null)[] = [null];
  readonly #hashes: number[] = [0];
  /** Where the bytes of a number begin; those of the next one begin where they end. */
  readonly #starts: number[] = [0, 0];
  #bytes = new Uint8Array(FIRST_BYTES);
  /** Numbers from the slot of their hash on; half of the slots are free, which is 0. */
  #slots = new Int32Array(FIRST_SLOTS);

  /** Reads a compact JSON array of strings and nulls that begins at `from`. */
  readArray(json: Buffer, from: number): { readonly numbers: readonly number[]; end: number } {
    const numbers: number[] = [];
    let at = from;
    do {
      at += 1;
      if (json[at] === NULL[0]) {
        numbers.push(0);
        at += NULL.length;
      } else if (json[at] === QUOTE) {
        let hash = 0;
        const begin = at;
        for (at += 1; at < json.length && json[at] !== QUOTE; at++) {
          hash = Math.imul(hash ^ json[at]!, 0x01000193);
          if (json[at] === BACKSLASH) at += 1;
        }
        at += 1;
        numbers.push(this.#numberOf(json, begin, at, hash ^ (hash >>> 15)));
      }
    } while (json[at] === COMMA);
    return { numbers, end: at + 1 };
  }

  /** Of a text with its quotes. */
  #numberOf(json: Buffer, begin: number, end: number, hash: number): number {
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    for (let number = this.#slots[slot]!; number !== 0; number = this.#slots[slot]!) {
      if (this.#hashes[number] === hash && this.#isAt(number, json, begin, end)) return number;
      slot = (slot + 1) & mask;
    }
    const number = this.texts.push(JSON.parse(json.toString('utf8', begin, end)) as string) - 1;
    this.#hashes.push(hash);
    this.#slots[slot] = number;
    this.#keep(json, begin, end);
    if (2 * number > mask) this.#grow();
    return number;
  }

  #isAt(number: number, json: Buffer, begin: number, end: number): boolean {
    const start = this.#starts[number]!;
    const length = end - begin;
    if (this.#starts[number + 1]! - start !== length) return false;
    const bytes = this.#bytes;
    for (let at = 0; at < length; at++) if (bytes[start + at] !== json[begin + at]) return false;
    return true;
  }

  #keep(json: Buffer, begin: number, end: number): void {
    const start = this.#starts.at(-1)!;
    const after = start + end - begin;
    if (after > this.#bytes.length) {
      const larger = new Uint8Array(2 * after);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes.set(json.subarray(begin, end), start);
    this.#starts.push(after);
  }

  #grow(): void {
    const slots = new Int32Array(2 * this.#slots.length);
    const mask = slots.length - 1;
    for (const [number, hash] of this.#hashes.entries()) {
      if (number === 0) continue;
      let slot = hash & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = number;
    }
    this.#slots = slots;
  }
}
