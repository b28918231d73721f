import type { MessageCache } from './message-cache.ts';

/** Counts a text once, for as long as the cache remembers it. */
export class CachedCounter {
  readonly #cache: MessageCache;
  readonly #vocabulary: number;
  readonly #count: (text: string) => number;

  /** @param vocabulary tells the counters that share a cache apart */
  constructor(count: (text: string) => number, cache: MessageCache, vocabulary: number) {
    this.#count = count;
    this.#cache = cache;
    this.#vocabulary = vocabulary;
  }

  count(text: string): number {
    return this.#cache.count(text, this.#vocabulary, this.#count);
  }

  /** The tokens of `text` if they are remembered. */
  known(text: string): number | undefined {
    return this.#cache.get(text, this.#vocabulary);
  }

  /** Takes in what was counted elsewhere, and gives it back. */
  remember(text: string, tokens: number): number {
    this.#cache.set(text, this.#vocabulary, tokens);
    return tokens;
  }
}
