/** Callbacks that cannot harm each other or the caller. */
export class Subscribers<E> {
  readonly #callbacks = new Set<{ readonly call: (event: E) => void }>();
  readonly #warn: (message: string) => void;
  readonly #queue: E[] = [];
  #notifying = false;

  constructor(warn: (message: string) => void) {
    this.#warn = warn;
  }

  add(call: (event: E) => void): () => void {
    // Boxed, so that one function added twice is called twice and removed once.
    const entry = { call };
    this.#callbacks.add(entry);
    return () => {
      this.#callbacks.delete(entry);
    };
  }

  /** An event that a callback causes is delivered after this one has reached every callback. */
  notify(event: E): void {
    this.#queue.push(event);
    if (this.#notifying) return;
    this.#notifying = true;
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
    this.#notifying = false;
  }

  clear(): void {
    this.#callbacks.clear();
  }
}
