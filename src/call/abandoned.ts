/** A call whose reply may be dropped without a word. */
export interface Abandonable {
  readonly ended: boolean;
  /** Written by this file alone: a finalizer is registered for the call. */
  watched: boolean;
  abandon(): void;
}

/**
 * Ends the calls of which nobody will ever hear again: the object that stands for the unread reply was
 * collected. Holds the call, never that object, so watching does not keep a reply alive.
 */
const registry = new FinalizationRegistry<Abandonable>((call) => call.abandon());

/** Handles of this turn of the event loop. Most are read at once, and then need no finalizer. */
let recent = new Map<Abandonable, object>();

/** `handle`: the stream, iterator or response without which the reply cannot be read on. */
export function watchHandle(call: Abandonable, handle: object): void {
  if (recent.size === 0) setImmediate(registerRecent).unref();
  recent.set(call, handle);
}

export function unwatch(call: Abandonable): void {
  recent.delete(call);
  if (!call.watched) return;
  call.watched = false;
  registry.unregister(call);
}

function registerRecent(): void {
  const due = recent;
  recent = new Map();
  for (const [call, handle] of due) {
    if (call.watched) registry.unregister(call);
    call.watched = true;
    registry.register(handle, call, call);
  }
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
