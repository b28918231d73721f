const INTERVAL_MS = 10_000;
/** Three beats may be lost before an instance counts as gone. */
const TTL_MS = 30_000;

/** Reports this instance at intervals, and a moment after something changed. Never fails. */
export class Heartbeat {
  readonly #send: (ttlMs: number) => Promise<void>;
  #timer: NodeJS.Timeout | undefined;
  #dueAt = Infinity;
  #running = false;

  constructor(send: (ttlMs: number) => Promise<void>) {
    this.#send = send;
  }

  start(): void {
    this.#running = true;
    this.#schedule(0);
  }

  /** Spread over a fifth of a second, so that a fleet does not report a change all at once. */
  soon(): void {
    this.#schedule(Math.random() * 200);
  }

  stop(): void {
    this.#running = false;
    clearTimeout(this.#timer);
  }

  /** The earliest of the asked times counts: changes in a row must not put it off for ever. */
  #schedule(delayMs: number): void {
    const dueAt = performance.now() + delayMs;
    if (!this.#running || dueAt >= this.#dueAt) return;
    this.#dueAt = dueAt;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#beat(), delayMs);
    this.#timer.unref();
  }

  async #beat(): Promise<void> {
    this.#dueAt = Infinity;
    try {
      await this.#send(TTL_MS);
    } catch {
      // The sender has noted it; the next beat tries again.
    }
    this.#schedule(INTERVAL_MS * (0.8 + 0.4 * Math.random()));
  }
}
