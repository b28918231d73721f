const SLOTS = 1 << 14;
const WORDS = 4;
/** A slot has four words: a piece and its length. */
const LONGEST = 15;

/**
 * Direct-mapped cache of the counts of short pieces, keyed by the bytes themselves. Holds at most
 * 256 KB of text fragments.
 */
export class PieceCounts {
  readonly #keys: Int32Array = new Int32Array(SLOTS * WORDS);
  readonly #counts: Uint8Array = new Uint8Array(SLOTS);
  readonly #bytes: Uint8Array = new Uint8Array(4 * WORDS);
  readonly #words: Int32Array = new Int32Array(this.#bytes.buffer);

  /** `count(piece)`, cached. */
  of(piece: Uint8Array, count: (piece: Uint8Array) => number): number {
    if (piece.length > LONGEST) return count(piece);
    this.#bytes.fill(0);
    this.#bytes.set(piece);
    this.#bytes[LONGEST] = piece.length;
    const [a = 0, b = 0, c = 0, d = 0] = this.#words;
    let slot = Math.imul(a ^ Math.imul(b ^ Math.imul(c ^ Math.imul(d, 31), 31), 31), 0x9e3779b1);
    slot >>>= 18;
    const at = slot * WORDS;
    const keys = this.#keys;
    if (keys[at] === a && keys[at + 1] === b && keys[at + 2] === c && keys[at + 3] === d) {
      return this.#counts[slot] ?? 0;
    }
    const tokens = count(piece);
    keys.set(this.#words, at);
    this.#counts[slot] = tokens;
    return tokens;
  }
}
