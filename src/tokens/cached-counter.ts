import type { MessageCache } from './message-cache.ts';
import type { StepKind, TextCounter } from './text-counter.ts';

/** A counter that counts a text once, for as long as the cache remembers it. */
export class CachedCounter implements TextCounter {
  readonly #inner: TextCounter;
  readonly #cache: MessageCache;
  readonly #vocabulary: number;
  readonly #countInner: (text: string) => number;

  /** @param vocabulary tells the counters that share a cache apart */
  constructor(inner: TextCounter, cache: MessageCache, vocabulary: number) {
    this.#inner = inner;
    this.#cache = cache;
    this.#vocabulary = vocabulary;
    this.#countInner = (text) => inner.count(text);
  }

  count(text: string): number {
    return this.#cache.count(text, this.#vocabulary, this.#countInner);
  }

  *countInSteps(text: string): Generator<StepKind, number> {
    const known = this.#cache.get(text, this.#vocabulary);
    if (known !== undefined) return known;
    const tokens = yield* this.#inner.countInSteps(text);
    this.#cache.set(text, this.#vocabulary, tokens);
    return tokens;
  }
}
