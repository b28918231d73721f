import { performance } from 'node:perf_hooks';

/** Maximum time of one slice, after which the event loop runs. */
const SLICE_MS = 4;

/**
 * A job pauses at a `yield` when its slice is over. A yielded promise is awaited while other jobs
 * run; its value is returned by the `yield`, a rejection is thrown there.
 */
export type Steps<T> = Generator<unknown, T, unknown>;

interface Job {
  /** Runs until `deadline` at the latest. */
  advance(deadline: number): 'more' | 'waits' | 'ended';
}

/**
 * Runs jobs in slices of at most 4 ms, first in, first out. Keeps the process alive only while a
 * job is queued.
 */
export class JobQueue {
  readonly #ready: Job[] = [];
  readonly #idle: (() => void)[] = [];
  #left = 0;
  #scheduled = false;

  /**
   * A plain function runs in one slice. A job that throws rejects its promise; `run` never throws.
   */
  run<T>(start: () => T | Steps<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#left++;
      this.#enqueue(this.#jobOf(start, resolve, reject));
    });
  }

  /** Resolves when all jobs queued so far, and the jobs they queued, have ended. */
  idle(): Promise<void> {
    if (this.#left === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #enqueue(job: Job): void {
    this.#ready.push(job);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#slice());
  }

  #slice(): void {
    this.#scheduled = false;
    const deadline = performance.now() + SLICE_MS;
    let job = this.#ready[0];
    while (job !== undefined && performance.now() < deadline) {
      const state = job.advance(deadline);
      if (state !== 'more') this.#ready.shift();
      if (state === 'ended') this.#left--;
      job = this.#ready[0];
    }
    if (job !== undefined) this.#schedule();
    if (this.#left === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  #jobOf<T>(
    start: () => T | Steps<T>,
    resolve: (value: T) => void,
    reject: (reason: unknown) => void,
  ): Job {
    let steps: Steps<T> | undefined;
    /** Resumes the job with the value of the promise it yielded. */
    let resume: (steps: Steps<T>) => IteratorResult<unknown, T> = (job) => job.next();
    const job: Job = {
      advance: (deadline) => {
        try {
          if (steps === undefined) {
            const started = start();
            if (!isSteps(started)) {
              resolve(started);
              return 'ended';
            }
            steps = started;
          }
          do {
            const step = resume(steps);
            resume = (next) => next.next();
            if (step.done === true) {
              resolve(step.value);
              return 'ended';
            }
            if (step.value instanceof Promise) {
              void step.value
                .then(
                  (value: unknown) => (resume = (next) => next.next(value)),
                  (reason: unknown) => (resume = (next) => next.throw(reason)),
                )
                .then(() => this.#enqueue(job));
              return 'waits';
            }
          } while (performance.now() < deadline);
          return 'more';
        } catch (error) {
          reject(error);
          return 'ended';
        }
      },
    };
    return job;
  }
}

function isSteps<T>(value: T | Steps<T>): value is Steps<T> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value && 'next' in value;
}
