import { HASH_WORDS, type TextHash, type TextHasher } from './text-hasher.ts';

/** Slot layout: the hash of the text, then its tokens plus one. 0 marks an empty slot. */
const SLOT_WORDS = HASH_WORDS + 1;
const SLOT_BYTES = 4 * SLOT_WORDS;
/** Number of slots in a set. */
const WAYS = 8;
const FIRST_SETS = 512;

/** Shorter texts are counted as fast as they are hashed. */
const SHORTEST = 24;

export interface MessageCacheOptions {
  /** @default 8 MiB */
  readonly maxBytes?: number;
  readonly hasher: TextHasher;
}

/**
 * Cache of token counts, since a chat sends its whole history with every turn. Keyed by a hash: 20
 * bytes per text, and no text is retained. Grows up to `maxBytes`, then evicts old entries.
 */
export class MessageCache {
  readonly #hasher: TextHasher;
  readonly #maxSets: number;
  #slots: Uint32Array;
  #used = 0;
  #victim = 0;

  constructor({ maxBytes = 8 << 20, hasher }: MessageCacheOptions) {
    this.#hasher = hasher;
    this.#maxSets = Math.max(0, Math.floor(maxBytes / (SLOT_BYTES * WAYS)));
    this.#slots = emptySets(Math.min(FIRST_SETS, this.#maxSets));
  }

  get byteLength(): number {
    return this.#slots.byteLength;
  }

  /** @param vocabulary number of the vocabulary, since counts differ between vocabularies. */
  count(text: string, vocabulary: number, count: (text: string) => number): number {
    if (!this.#keeps(text)) return count(text);
    const hash = this.#hashOf(text, vocabulary);
    const known = this.#find(hash);
    if (known !== undefined) return known;
    const tokens = count(text);
    this.#put(hash, tokens);
    return tokens;
  }

  /** Lookup and `store` for counts that take several steps. */
  get(text: string, vocabulary: number): number | undefined {
    return this.#keeps(text) ? this.#find(this.#hashOf(text, vocabulary)) : undefined;
  }

  set(text: string, vocabulary: number, tokens: number): void {
    if (this.#keeps(text)) this.#put(this.#hashOf(text, vocabulary), tokens);
  }

  #keeps(text: string): boolean {
    return text.length >= SHORTEST && this.#slots.length > 0;
  }

  #hashOf(text: string, vocabulary: number): TextHash {
    const hash = this.#hasher(text);
    hash[3] = (hash[3] ?? 0) ^ vocabulary;
    return hash;
  }

  #find(hash: TextHash): number | undefined {
    const start = this.#setOf(hash);
    for (let at = start; at < start + WAYS * SLOT_WORDS; at += SLOT_WORDS) {
      const kept = this.#slots[at + HASH_WORDS] ?? 0;
      if (kept !== 0 && this.#isAt(at, hash)) return kept - 1;
    }
    return undefined;
  }

  #put(hash: TextHash, tokens: number): void {
    this.#grow();
    const start = this.#setOf(hash);
    let at = start;
    for (; at < start + WAYS * SLOT_WORDS; at += SLOT_WORDS) {
      if (this.#slots[at + HASH_WORDS] === 0) break;
      if (this.#isAt(at, hash)) return;
    }
    if (at < start + WAYS * SLOT_WORDS) this.#used++;
    else at = start + (this.#victim++ % WAYS) * SLOT_WORDS;
    this.#slots.set(hash, at);
    this.#slots[at + HASH_WORDS] = tokens + 1;
  }

  /** Doubles when half full, so that sets rarely overflow. */
  #grow(): void {
    const sets = this.#slots.length / (SLOT_WORDS * WAYS);
    if (sets === this.#maxSets || this.#used < (sets * WAYS) / 2) return;
    const old = this.#slots;
    this.#slots = emptySets(Math.min(2 * sets, this.#maxSets));
    this.#used = 0;
    for (let at = 0; at < old.length; at += SLOT_WORDS) {
      const kept = old[at + HASH_WORDS] ?? 0;
      if (kept !== 0) this.#put(old.subarray(at, at + HASH_WORDS), kept - 1);
    }
  }

  #setOf(hash: TextHash): number {
    const sets = this.#slots.length / (SLOT_WORDS * WAYS);
    return ((hash[0] ?? 0) % sets) * SLOT_WORDS * WAYS;
  }

  #isAt(at: number, hash: TextHash): boolean {
    const slots = this.#slots;
    return (
      slots[at] === hash[0] &&
      slots[at + 1] === hash[1] &&
      slots[at + 2] === hash[2] &&
      slots[at + 3] === hash[3]
    );
  }
}

function emptySets(sets: number): Uint32Array {
  return new Uint32Array(sets * WAYS * SLOT_WORDS);
}
