export interface BackOffOptions {
  readonly firstMs: number;
  readonly maxMs: number;
  readonly random?: () => number;
}

/** Pauses between failed attempts: doubling, half of each random so that instances spread out. */
export class BackOff {
  readonly #options: BackOffOptions;
  #failures = 0;

  constructor(options: BackOffOptions) {
    this.#options = options;
  }

  get failures(): number {
    return this.#failures;
  }

  /** The pause after one more failure; never shorter than the server asked for. */
  fail(retryAfterMs = 0): number {
    const { firstMs, maxMs, random = Math.random } = this.#options;
    const full = Math.min(maxMs, firstMs * 2 ** this.#failures);
    this.#failures++;
    return Math.max(retryAfterMs, full / 2 + (full / 2) * random());
  }

  succeed(): void {
    this.#failures = 0;
  }
}
