/**
 * The time of the store: what one instance ends, ends for the whole fleet, and its own clock may be wrong. From
 * when the store was heard of last it goes on by the monotonic clock of this process, also while the store is away.
 */
export class StoreClock {
  readonly #machine: () => number;
  readonly #monotonic: () => number;
  #aheadMs: number | undefined;

  /** `machine`: ms since 1970, until the store has told its time. `monotonic`: ms, never set. */
  constructor(machine: () => number, monotonic: () => number = () => performance.now()) {
    this.#machine = machine;
    this.#monotonic = monotonic;
  }

  /** Whether the store has told its time. */
  get isKnown(): boolean {
    return this.#aheadMs !== undefined;
  }

  /** In ms since 1970. */
  readonly now = (): number =>
    this.#aheadMs === undefined ? this.#machine() : this.#monotonic() + this.#aheadMs;

  /** The store says that it is `storeMs` now. */
  learn(storeMs: number): void {
    this.#aheadMs = storeMs - this.#monotonic();
  }
}
