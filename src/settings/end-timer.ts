/** The longest delay that a timer takes, ms. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/** Calls back at one time, which may be months ahead. Never holds the process. */
export class EndTimer {
  readonly #onEnd: () => void;
  #at: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(onEnd: () => void) {
    this.#onEnd = onEnd;
  }

  /** In ms since 1970; undefined: never. A time in the past is soon. */
  set(at: number | undefined): void {
    if (at === this.#at) return;
    this.#at = at;
    this.#wait();
  }

  #wait(): void {
    clearTimeout(this.#timer);
    const at = this.#at;
    if (at === undefined) return;
    this.#timer = setTimeout(
      () => {
        if (Date.now() < at) return this.#wait();
        this.#at = undefined;
        this.#onEnd();
      },
      Math.min(MAX_DELAY_MS, Math.max(0, at - Date.now())),
    );
    this.#timer.unref();
  }
}
