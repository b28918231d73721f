import { watchAbort } from './abort-of-reply.ts';

/** A call that has begun and not ended, as far as its end from outside is concerned. */
export interface OpenCall {
  /** Nobody reads the reply any further. */
  streamEnded(): void;
  /** Ends for good, with what was received. */
  close(): void;
}

/**
 * The object that stands for a reply was collected. Holds the call, never that object, so watching
 * does not keep a reply alive.
 */
const registry = new FinalizationRegistry<OpenCall>((call) => call.streamEnded());

/** Replies that wait to be fetched at one time; beyond, the oldest ends as it is. */
const PENDING_MAX = 1000;

/** Every call from its start to its end. */
export class OpenCalls<Call extends OpenCall> {
  readonly #open = new Set<Call>();
  readonly #unread = new Set<Call>();
  /** Each ends the watch for an abort. */
  readonly #abortable = new Map<Call, () => void>();
  readonly #pending = new Map<string, Call>();
  readonly #holders = new Set<Pick<OpenCall, 'close'>>();

  get size(): number {
    return this.#open.size;
  }

  /** Replies that have arrived and nobody has begun to read. */
  get unread(): number {
    return this.#unread.size;
  }

  started(call: Call): void {
    this.#open.add(call);
  }

  /** `handle`: the stream, iterator or response without which the reply cannot be read on. */
  arrived(call: Call, handle: object): void {
    this.#unread.add(call);
    const unwatch = watchAbort(handle, () => call.streamEnded());
    this.#abortable.get(call)?.();
    if (unwatch !== undefined) this.#abortable.set(call, unwatch);
    registry.register(handle, call, call);
  }

  /** Without `handle` the reader cannot drop the reply half-way. */
  reading(call: Call, handle: object | undefined): void {
    this.#unread.delete(call);
    registry.unregister(call);
    if (handle !== undefined) registry.register(handle, call, call);
  }

  /** The provider works on: the reply is fetched later, by its id. */
  park(call: Call, responseId: string): void {
    this.reading(call, undefined);
    this.#pending.delete(responseId);
    this.#pending.set(responseId, call);
    if (this.#pending.size <= PENDING_MAX) return;
    const [[oldestId, oldest] = []] = this.#pending;
    if (oldestId !== undefined) this.#pending.delete(oldestId);
    oldest?.close();
  }

  pending(responseId: string): Call | undefined {
    return this.#pending.get(responseId);
  }

  those(wanted: (call: Call) => boolean): readonly Call[] {
    return [...this.#open].filter(wanted);
  }

  ended(call: Call, responseId: string | undefined): void {
    this.#open.delete(call);
    this.#abortable.get(call)?.();
    this.#abortable.delete(call);
    this.reading(call, undefined);
    if (responseId !== undefined && this.#pending.get(responseId) === call) {
      this.#pending.delete(responseId);
    }
  }

  /** `holder` keeps calls back of which it may learn more, until it is closed or has `released` them. */
  held(holder: Pick<OpenCall, 'close'>): void {
    this.#holders.add(holder);
  }

  released(holder: Pick<OpenCall, 'close'>): void {
    this.#holders.delete(holder);
  }

  /** For the end of the process: what was received so far is all that will ever be. */
  closeAll(): void {
    for (const holder of this.#holders) holder.close();
    this.#holders.clear();
    // A callback of the host may begin another call.
    const open = [...this.#open];
    for (const call of open) call.close();
  }
}
