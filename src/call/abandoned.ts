import { setTimeout } from 'node:timers';

/** A call whose reply may be dropped without a word. Its fields are written by this file alone. */
export abstract class Abandonable {
  /** The reply has arrived and nobody has begun to read it. */
  unread = false;
  /** What the reply is read from, until a finalizer stands for it. */
  handle: object | undefined = undefined;
  hasFinalizer = false;
  previous: Abandonable | undefined = undefined;
  next: Abandonable | undefined = undefined;

  abstract abandon(): void;
}

/**
 * Ends the calls of which nobody will ever hear again: the object that stands for the unread reply was
 * collected. Holds the call, never that object, so watching does not keep a reply alive.
 */
const registry = new FinalizationRegistry<Abandonable>((call) => call.abandon());

/** Most replies are read to their end within this time, and then need no finalizer. */
const FINALIZER_AFTER_MS = 20;

/**
 * Replies that are unread, or that their reader may still drop. A linked list: a Set that lives as long
 * as this leaves its outgrown tables in the old generation, and each of them carries every reply that
 * came later past the quick collections (8 KB a call, and twice the time).
 */
export class OpenReplies {
  #first: Abandonable | undefined;
  /** Those that wait for a finalizer stand last. */
  #last: Abandonable | undefined;
  #due = false;

  /** `handle`: the stream, iterator or response without which the reply cannot be read on. */
  arrived(call: Abandonable, handle: object): void {
    call.unread = true;
    this.#await(call, handle);
  }

  /** Without `handle` the reader cannot drop the reply half-way. */
  reading(call: Abandonable, handle: object | undefined): void {
    call.unread = false;
    if (handle === undefined) this.ended(call);
    else this.#await(call, handle);
  }

  ended(call: Abandonable): void {
    call.unread = false;
    call.handle = undefined;
    this.#remove(call);
    if (!call.hasFinalizer) return;
    call.hasFinalizer = false;
    registry.unregister(call);
  }

  get unread(): number {
    return this.#unread().length;
  }

  abandonUnread(): void {
    for (const call of this.#unread()) call.abandon();
  }

  #unread(): Abandonable[] {
    const calls: Abandonable[] = [];
    for (let call = this.#first; call !== undefined; call = call.next) {
      if (call.unread) calls.push(call);
    }
    return calls;
  }

  #await(call: Abandonable, handle: object): void {
    this.#remove(call);
    call.handle = handle;
    call.previous = this.#last;
    if (this.#last === undefined) this.#first = call;
    else this.#last.next = call;
    this.#last = call;
    if (this.#due) return;
    this.#due = true;
    setTimeout(() => this.#register(), FINALIZER_AFTER_MS).unref();
  }

  #register(): void {
    this.#due = false;
    let call = this.#last;
    while (call?.handle !== undefined) {
      const { handle, previous } = call;
      if (call.hasFinalizer) registry.unregister(call);
      registry.register(handle, call, call);
      call.hasFinalizer = true;
      call.handle = undefined;
      if (!call.unread) this.#remove(call);
      call = previous;
    }
  }

  /** Leaves no link behind: those of a call that is over would keep its neighbours alive. */
  #remove(call: Abandonable): void {
    const { previous, next } = call;
    if (previous !== undefined) previous.next = next;
    else if (this.#first === call) this.#first = next;
    else return;
    if (next !== undefined) next.previous = previous;
    else this.#last = previous;
    call.previous = undefined;
    call.next = undefined;
  }
}
