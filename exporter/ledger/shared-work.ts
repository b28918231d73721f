/** Kept results at once; what is made beyond them is handed out and forgotten. */
const MAX_KEPT = 100;

export interface SharedWorkOptions<T> {
  /** How long a result is handed out after it was made. @default 0 */
  readonly keepMs?: number;
  /** Whether a result is kept at all. @default all are */
  readonly isKept?: (result: T) => boolean;
}

interface Work<T> {
  readonly result: Promise<T>;
  readonly stop: AbortController;
  waiters: number;
  isDone: boolean;
}

/**
 * One run of the same work for all who ask for it meanwhile, and for some time after. It is aborted when nobody waits
 * for it any more.
 */
export class SharedWork<T> {
  readonly #keepMs: number;
  readonly #isKept: (result: T) => boolean;
  readonly #works = new Map<string, Work<T>>();

  constructor({ keepMs = 0, isKept = () => true }: SharedWorkOptions<T> = {}) {
    this.#keepMs = keepMs;
    this.#isKept = isKept;
  }

  /** Rejects as the work does, or with the reason of `signal`. */
  async run(
    key: string,
    work: (signal: AbortSignal) => Promise<T>,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    signal?.throwIfAborted();
    const shared = this.#works.get(key) ?? this.#begin(key, work);
    if (shared.isDone) return await shared.result;
    shared.waiters++;
    const aborted = Promise.withResolvers<never>();
    const onAbort = (): void => aborted.reject(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      return await Promise.race([shared.result, aborted.promise]);
    } finally {
      signal?.removeEventListener('abort', onAbort);
      shared.waiters--;
      if (shared.waiters === 0 && !shared.isDone) {
        this.#forget(key, shared);
        shared.stop.abort(new Error('nobody waits for it any more'));
      }
    }
  }

  #begin(key: string, work: (signal: AbortSignal) => Promise<T>): Work<T> {
    const stop = new AbortController();
    const shared: Work<T> = { result: work(stop.signal), stop, waiters: 0, isDone: false };
    this.#works.set(key, shared);
    shared.result.then(
      (result) => {
        shared.isDone = true;
        const isTooMuch = this.#works.size > MAX_KEPT || !this.#isKept(result);
        if (this.#keepMs === 0 || isTooMuch) this.#forget(key, shared);
        else setTimeout(() => this.#forget(key, shared), this.#keepMs).unref();
      },
      () => {
        shared.isDone = true;
        this.#forget(key, shared);
      },
    );
    return shared;
  }

  #forget(key: string, work: Work<T>): void {
    if (this.#works.get(key) === work) this.#works.delete(key);
  }
}
