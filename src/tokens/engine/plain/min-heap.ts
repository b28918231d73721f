/** Binary min-heap of numbers with preallocated memory. */
export class MinHeap {
  readonly #entries: Float64Array;
  size = 0;

  constructor(capacity: number) {
    this.#entries = new Float64Array(capacity);
  }

  push(entry: number): void {
    let at = this.size++;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      const above = this.#entries[parent] ?? 0;
      if (above <= entry) break;
      this.#entries[at] = above;
      at = parent;
    }
    this.#entries[at] = entry;
  }

  /** Removes the smallest entry. The heap must not be empty. */
  pop(): number {
    const least = this.#entries[0] ?? 0;
    const entry = this.#entries[--this.size] ?? 0;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.size) break;
      const right = child + 1;
      if (right < this.size && (this.#entries[right] ?? 0) < (this.#entries[child] ?? 0)) {
        child = right;
      }
      const below = this.#entries[child] ?? 0;
      if (below >= entry) break;
      this.#entries[at] = below;
      at = child;
    }
    this.#entries[at] = entry;
    return least;
  }
}
