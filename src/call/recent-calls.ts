/** What identifies a call to a layer that has lost its Context. */
export interface CallTrace {
  readonly responseId: string | undefined;
  readonly models: readonly (string | undefined)[];
  /** Monotonic milliseconds. */
  readonly startedMs: number;
}

export interface LateSighting {
  readonly responseId?: string | undefined;
  /** Given where the model is enough, for want of a response id on either side. */
  readonly model?: string | undefined;
  /** Calls that started earlier are others. Monotonic milliseconds. */
  readonly sinceMs: number;
}

/** Calls remembered; a sighting comes within moments of the call it repeats. */
const RECENT_MAX = 256;

/**
 * The calls that ended last, for layers that learn of a call only after it and without its Context (events
 * of AI SDK 6, LangChain after a lost Context, `recordUsage`). Each call answers for one sighting.
 */
export class RecentCalls {
  readonly #calls: CallTrace[] = [];

  add(call: CallTrace): void {
    if (this.#calls.length >= RECENT_MAX) this.#calls.shift();
    this.#calls.push(call);
  }

  /** True when the call that was sighted is metered already. */
  take({ responseId, model, sinceMs }: LateSighting): boolean {
    const at = this.#calls.findLastIndex(
      (call) =>
        call.startedMs >= sinceMs &&
        (responseId === undefined || call.responseId === undefined
          ? model !== undefined && call.models.includes(model)
          : call.responseId === responseId),
    );
    if (at < 0) return false;
    this.#calls.splice(at, 1);
    return true;
  }
}
