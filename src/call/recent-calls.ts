import { isSameReply, type CallSight } from './claims.ts';

/** A call that has ended. */
export interface CallTrace extends CallSight {
  /** The wrapper that metered it, if it was one. */
  readonly wrapper?: string | undefined;
  /** Monotonic milliseconds. */
  readonly startedMs: number;
  readonly endedMs: number;
}

export interface LateSighting extends CallSight {
  /** Calls of the same wrapper are beside it, not inside, whatever ids a server gives them. */
  readonly wrapper?: string | undefined;
  /** Whether the model is evidence enough where one of the two has no response id. */
  readonly byModel?: boolean;
  /** Calls that started earlier are others. Monotonic milliseconds. */
  readonly sinceMs: number;
  readonly nowMs: number;
}

/** So long a reply that is reported again is the same call. */
export const REMEMBERED_MS = 60_000;

/** Calls remembered, some 800 a second: at 200 bytes each 10 MB. Beyond, the oldest are forgotten. */
const REMEMBERED_MAX = 50_000;

interface Remembered {
  readonly trace: CallTrace;
  /** Replies with this id that have not been reported again. */
  times: number;
}

/**
 * The calls of the last minute, for layers that learn of a call only after it and without its Context
 * (events of AI SDK 6, LangChain after a lost Context, `recordUsage`). Each answers for one sighting.
 */
export class RecentCalls {
  /** By response id, or by a key of its own; the oldest first. */
  readonly #calls = new Map<string | symbol, Remembered>();

  add(trace: CallTrace): void {
    const key = trace.responseId || Symbol('no id');
    const times = (this.#calls.get(key)?.times ?? 0) + 1;
    this.#calls.delete(key);
    this.#calls.set(key, { trace, times });
    for (const [oldest, { trace: old }] of this.#calls) {
      const isFresh = old.endedMs >= trace.endedMs - REMEMBERED_MS;
      if (isFresh && this.#calls.size <= REMEMBERED_MAX) break;
      this.#calls.delete(oldest);
    }
  }

  /** True when the call that was sighted is metered already. */
  take(sighting: LateSighting): boolean {
    const { responseId, byModel = false } = sighting;
    const known = responseId ? this.#calls.get(responseId) : undefined;
    if (known !== undefined) return this.#isTaken(responseId as string, known, sighting);
    if (!byModel) return false;
    for (const [key, call] of [...this.#calls].reverse()) {
      if (this.#isTaken(key, call, sighting)) return true;
    }
    return false;
  }

  #isTaken(key: string | symbol, call: Remembered, sighting: LateSighting): boolean {
    const { trace } = call;
    if (trace.startedMs < sighting.sinceMs) return false;
    if (trace.endedMs < sighting.nowMs - REMEMBERED_MS) return false;
    if (trace.wrapper !== undefined && trace.wrapper === sighting.wrapper) return false;
    if (!isSameReply(trace, sighting, sighting.byModel === true)) return false;
    call.times -= 1;
    if (call.times === 0) this.#calls.delete(key);
    return true;
  }
}
