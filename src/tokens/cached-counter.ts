import type { MessageCache } from './message-cache.ts';

/** Counts through a cache: a text is counted again only after its entry was evicted. */
export class CachedCounter {
  readonly #cache: MessageCache;
  readonly #vocabulary: number;
  readonly #count: (text: string) => number;

  /** @param vocabulary distinguishes the counters that share a cache */
  constructor(count: (text: string) => number, cache: MessageCache, vocabulary: number) {
    this.#count = count;
    this.#cache = cache;
    this.#vocabulary = vocabulary;
  }

  count(text: string): number {
    return this.#cache.count(text, this.#vocabulary, this.#count);
  }

  /** Cached tokens of `text`, if any. */
  known(text: string): number | undefined {
    return this.#cache.get(text, this.#vocabulary);
  }

  /** Stores a count made elsewhere and returns it. */
  remember(text: string, tokens: number): number {
    this.#cache.set(text, this.#vocabulary, tokens);
    return tokens;
  }
}
