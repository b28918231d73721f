/** A call whose reply may be dropped without a word. */
export interface Abandonable {
  readonly ended: boolean;
  abandon(): void;
}

/**
 * Ends the calls of which nobody will ever hear again: the object that stands for the unread reply was
 * collected. Holds the call, never that object, so watching does not keep a reply alive.
 */
const registry = new FinalizationRegistry<Abandonable>((call) => call.abandon());

/** `handle`: the stream, iterator or response without which the reply cannot be read on. */
export function watchHandle(call: Abandonable, handle: object): void {
  registry.unregister(call);
  registry.register(handle, call, call);
}

export function unwatch(call: Abandonable): void {
  registry.unregister(call);
}

/** Replies that have arrived and that nobody has begun to read. */
export class UnreadReplies {
  readonly #calls = new Set<Abandonable>();

  get size(): number {
    return this.#calls.size;
  }

  add(call: Abandonable): void {
    this.#calls.add(call);
  }

  delete(call: Abandonable): void {
    this.#calls.delete(call);
  }

  abandonAll(): void {
    for (const call of this.#calls) call.abandon();
    this.#calls.clear();
  }
}
