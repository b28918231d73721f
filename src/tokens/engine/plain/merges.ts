import { forEachPair, SINGLE_BYTES, type VocabularyTable } from '../tables.ts';

/** No merge; greater than every id. */
export const NONE = 0xffffffff;

/**
 * Table of merges: two adjacent tokens and the token they merge into. A token's id is its rank, so
 * the result also gives the order of the merge. Open addressing with slots of three words: two ids
 * and the result.
 */
export class Merges {
  readonly #slots: Uint32Array;
  readonly #mask: number;
  /** Id of each single byte. */
  readonly byteIds: Uint32Array = new Uint32Array(SINGLE_BYTES);

  constructor(table: VocabularyTable) {
    const { tokens, singleBytes, extraPairs = new Uint32Array(0) } = table;
    const pairs = tokens + extraPairs.length / 3;
    this.#mask = 2 ** Math.ceil(Math.log2(pairs * 1.5)) - 1;
    this.#slots = new Uint32Array(3 * (this.#mask + 1)).fill(NONE);
    singleBytes.forEach((byte, id) => (this.byteIds[byte] = id));
    forEachPair(table, (a, b, id) => this.#add(a, b, id));
    for (let i = 0; i < extraPairs.length; i += 3) {
      this.#add(extraPairs[i] ?? 0, extraPairs[i + 1] ?? 0, extraPairs[i + 2] ?? 0);
    }
  }

  /** The token that `a` followed by `b` merges into, or NONE. */
  of(a: number, b: number): number {
    return this.#slots[this.#find(a, b) + 2] ?? NONE;
  }

  #add(a: number, b: number, id: number): void {
    const at = this.#find(a, b);
    this.#slots[at] = a;
    this.#slots[at + 1] = b;
    this.#slots[at + 2] = id;
  }

  /** Slot of the pair, or the empty slot for it. */
  #find(a: number, b: number): number {
    let slot = Math.imul(Math.imul(a, 0x9e3779b1) ^ b, 0x85ebca6b);
    slot ^= slot >>> 15;
    for (;;) {
      slot &= this.#mask;
      const at = 3 * slot;
      if (this.#slots[at + 2] === NONE) return at;
      if (this.#slots[at] === a && this.#slots[at + 1] === b) return at;
      slot++;
    }
  }
}
