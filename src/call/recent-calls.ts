/** What identifies a call to a layer that has lost its Context. */
export interface CallTrace {
  readonly responseId: string | undefined;
  readonly requestModel: string | undefined;
  readonly responseModel: string | undefined;
  /** The layer that metered it, where that is one which may stand above others. */
  readonly layer?: string | undefined;
  /** Monotonic milliseconds. */
  readonly startedMs: number;
}

export interface LateSighting {
  readonly responseId?: string | undefined;
  /** Given where the model is enough, for want of a response id on either side. */
  readonly model?: string | undefined;
  /** Who sights it: calls of the same layer are beside it, not below, whatever ids a server gives them. */
  readonly layer?: string | undefined;
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
  /** A ring; a call that was taken leaves a hole. */
  readonly #calls: (CallTrace | undefined)[] = [];
  #next = 0;

  add(call: CallTrace): void {
    this.#calls[this.#next] = call;
    this.#next = (this.#next + 1) % RECENT_MAX;
  }

  /** True when the call that was sighted is metered already. */
  take({ responseId, model, layer, sinceMs }: LateSighting): boolean {
    for (let back = 1; back <= this.#calls.length; back += 1) {
      const at = (this.#next - back + RECENT_MAX) % RECENT_MAX;
      const call = this.#calls[at];
      if (call === undefined || call.startedMs < sinceMs) continue;
      if (layer !== undefined && call.layer === layer) continue;
      const isSame =
        // Some servers leave it empty.
        !responseId || !call.responseId
          ? model !== undefined && (call.requestModel === model || call.responseModel === model)
          : call.responseId === responseId;
      if (!isSame) continue;
      this.#calls[at] = undefined;
      return true;
    }
    return false;
  }
}
