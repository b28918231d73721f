/**
 * The time of the store: what one instance ends, ends for the whole fleet, and its own clock may be wrong.
 * Until the store has told its time, and while it is away, that of this machine.
 */
export class StoreClock {
  readonly #machine: () => number;
  #aheadMs = 0;

  /** `machine`: ms since 1970. */
  constructor(machine: () => number) {
    this.#machine = machine;
  }

  /** In ms since 1970. */
  readonly now = (): number => this.#machine() + this.#aheadMs;

  /** The store says that it is `storeMs` now. */
  learn(storeMs: number): void {
    this.#aheadMs = storeMs - this.#machine();
  }
}
