import { performance } from 'node:perf_hooks';

/**
 * The clock of a store, which is that of all its instances: the one of this machine may be wrong, or set while it
 * runs. Until the store has said the time it is the local one.
 */
export class BudgetClock {
  /** Of the store's clock to the monotonic one; undefined: not known yet. */
  #offsetMs: number | undefined;
  #isKnown = false;

  /** Unix milliseconds. */
  nowMs(): number {
    return this.#offsetMs === undefined ? Date.now() : performance.now() + this.#offsetMs;
  }

  /** The store has said the time since the connection was made. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  /** The store may be another one now. What its clock was stays the best guess. */
  doubt(): void {
    this.#isKnown = false;
  }

  /**
   * `nowMs`: what the store answered to the first question of a connection, sent at `sentMs` of the monotonic clock.
   * Returns what was taken for the time until now, if it was only a guess by the local clock.
   */
  learn(nowMs: number, sentMs: number): number | undefined {
    const guessedMs = this.#offsetMs === undefined ? this.nowMs() : undefined;
    this.adjust(nowMs, sentMs);
    this.#isKnown = true;
    return guessedMs;
  }

  /** By a later answer. */
  adjust(nowMs: number, sentMs: number): void {
    this.#offsetMs = nowMs - (sentMs + performance.now()) / 2;
  }
}
