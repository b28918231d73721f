/** Callbacks that cannot hurt each other or the one who tells them. */
export class Subscribers<E> {
  readonly #callbacks = new Set<{ readonly call: (event: E) => void }>();
  readonly #warn: (message: string) => void;
  readonly #queue: E[] = [];
  #telling = false;

  constructor(warn: (message: string) => void) {
    this.#warn = warn;
  }

  add(call: (event: E) => void): () => void {
    // A box of its own, so that one function added twice is told twice and removed once.
    const entry = { call };
    this.#callbacks.add(entry);
    return () => {
      this.#callbacks.delete(entry);
    };
  }

  /** A callback that causes the next event does not overtake the ones still to be told of this. */
  tell(event: E): void {
    this.#queue.push(event);
    if (this.#telling) return;
    this.#telling = true;
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      for (const { call } of this.#callbacks) {
        try {
          call(next);
        } catch (error) {
          const name = error instanceof Error ? error.name : typeof error;
          this.#warn(`a settings subscriber threw ${name}`);
        }
      }
    }
    this.#telling = false;
  }

  clear(): void {
    this.#callbacks.clear();
  }
}
