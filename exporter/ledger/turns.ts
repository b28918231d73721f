interface Waiting {
  readonly askedBy: string | undefined;
  start(): void;
}

/**
 * Lets so many questions run at once, in the order in which they were asked. Questions of one person never take all
 * turns: the last one is for the others.
 */
export class Turns {
  readonly #max: number;
  readonly #waiting: Waiting[] = [];
  /** Who asked each question that runs. */
  readonly #running: (string | undefined)[] = [];

  constructor(max: number) {
    this.#max = max;
  }

  /** Runs `work` when it is its turn. Rejects as it does, or while it waits with the reason of `signal`. */
  async run<T>(
    askedBy: string | undefined,
    signal: AbortSignal | undefined,
    work: () => Promise<T>,
  ): Promise<T> {
    await this.#turn(askedBy, signal);
    try {
      return await work();
    } finally {
      this.#running.splice(this.#running.indexOf(askedBy), 1);
      this.#startNext();
    }
  }

  async #turn(askedBy: string | undefined, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiting = { askedBy, start: resolve };
    const onAbort = (): void => {
      const place = this.#waiting.indexOf(waiting);
      if (place !== -1) this.#waiting.splice(place, 1);
      reject(signal?.reason);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#waiting.push(waiting);
    this.#startNext();
    try {
      await promise;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  #startNext(): void {
    for (;;) {
      if (this.#running.length >= this.#max) return;
      const next = this.#waiting.findIndex(({ askedBy }) => this.#isAllowed(askedBy));
      const [waiting] = next === -1 ? [] : this.#waiting.splice(next, 1);
      if (waiting === undefined) return;
      this.#running.push(waiting.askedBy);
      waiting.start();
    }
  }

  #isAllowed(askedBy: string | undefined): boolean {
    if (askedBy === undefined || this.#max === 1) return true;
    return this.#running.filter((one) => one === askedBy).length < this.#max - 1;
  }
}
