const MAX_BYTES = 4_000_000;
const MIN_BYTES = 2000;
/** Sends of nearly the full size that pass before a larger one is tried. */
const PASSES = 20;
const GROWTH = 1.5;

/** How much one send may hold: halved by time-outs, growing slowly while sends of that size pass. */
export class BatchSize {
  #maxBytes = MAX_BYTES;
  #passed = 0;

  /** 3.x takes no more than 10 MB. */
  get maxBytes(): number {
    return this.#maxBytes;
  }

  timedOut(bytes: number): void {
    this.#passed = 0;
    this.#maxBytes = Math.max(MIN_BYTES, Math.min(this.#maxBytes, bytes / 2));
  }

  passed(bytes: number): void {
    if (this.#maxBytes === MAX_BYTES || bytes < this.#maxBytes / 4) return;
    if (++this.#passed < PASSES) return;
    this.#passed = 0;
    this.#maxBytes = Math.min(MAX_BYTES, this.#maxBytes * GROWTH);
  }
}
