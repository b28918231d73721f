/** The longest delay that a timer takes, ms. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/** Calls back at one time, which may be months ahead. Never holds the process. */
export class EndTimer {
  readonly #onEnd: () => void;
  readonly #now: () => number;
  #at: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** `now`: ms since 1970, of a clock that may be set meanwhile. */
  constructor(onEnd: () => void, now: () => number) {
    this.#onEnd = onEnd;
    this.#now = now;
  }

  /** In ms since 1970; undefined: never. A time in the past is soon. To be set again when the clock was. */
  set(at: number | undefined): void {
    this.#at = at;
    this.#wait();
  }

  #wait(): void {
    clearTimeout(this.#timer);
    const at = this.#at;
    if (at === undefined) return;
    this.#timer = setTimeout(
      () => {
        if (this.#now() < at) return this.#wait();
        this.#at = undefined;
        this.#onEnd();
      },
      Math.min(MAX_DELAY_MS, Math.max(0, at - this.#now())),
    );
    this.#timer.unref();
  }
}
