import { performance } from 'node:perf_hooks';
import { tallyChat } from './chat.ts';
import { tallyCompletion, type CompletionOutput } from './completion.ts';
import { messageCounterFor } from './encodings.ts';
import type { Tally, TokenCount } from './tally.ts';

/** Longest stretch of work between two turns of the event loop. */
const SLICE_MS = 4;

type Steps<T> = Generator<void, T>;

interface Job {
  /** Runs until `deadline` at most; true when the job has ended. */
  advance(deadline: number): boolean;
}

/**
 * Runs counting after the reply, in slices of at most 4 ms, so that no caller waits for it. Jobs run
 * in the order they came. The process stays alive while one is left, and no longer.
 */
export class BackgroundCounter {
  readonly #jobs: Job[] = [];
  readonly #idle: (() => void)[] = [];
  #scheduled = false;

  /**
   * A generator job is stopped at a `yield` when its slice is over; a plain function is one step.
   * A job that throws rejects its promise; `run` itself never throws.
   */
  run<T>(job: () => T | Steps<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#jobs.push(jobOf(job, resolve, reject));
      this.#schedule();
    });
  }

  /** `countChat`, sliced. `model` as there. */
  countChat(request: unknown, model?: string): Promise<TokenCount> {
    return this.run(() => countInSteps(tallyChat(request, model)));
  }

  /** `countCompletion`, sliced. */
  countCompletion(output: CompletionOutput, model?: string): Promise<TokenCount> {
    return this.run(() => countInSteps(tallyCompletion(output, model)));
  }

  /** Resolves when every job given so far, and those they led to, has ended. */
  idle(): Promise<void> {
    if (this.#jobs.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#slice());
  }

  #slice(): void {
    this.#scheduled = false;
    const deadline = performance.now() + SLICE_MS;
    let job = this.#jobs[0];
    while (job !== undefined && performance.now() < deadline) {
      if (job.advance(deadline)) this.#jobs.shift();
      job = this.#jobs[0];
    }
    if (job !== undefined) this.#schedule();
    else for (const resolve of this.#idle.splice(0)) resolve();
  }
}

function jobOf<T>(
  start: () => T | Steps<T>,
  resolve: (value: T) => void,
  reject: (reason: unknown) => void,
): Job {
  let steps: Steps<T> | undefined;
  return {
    advance(deadline) {
      try {
        if (steps === undefined) {
          const started = start();
          if (!isSteps(started)) {
            resolve(started);
            return true;
          }
          steps = started;
        }
        do {
          const step = steps.next();
          if (step.done === true) {
            resolve(step.value);
            return true;
          }
        } while (performance.now() < deadline);
        return false;
      } catch (error) {
        reject(error);
        return true;
      }
    },
  };
}

function isSteps<T>(value: T | Steps<T>): value is Steps<T> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value && 'next' in value;
}

function* countInSteps(tally: Tally): Steps<TokenCount> {
  const counter = messageCounterFor(tally.encoding);
  const counts: number[] = [];
  for (const { text } of tally.texts) {
    const steps = counter.countInSteps(text);
    let step = steps.next();
    while (step.done !== true) {
      yield;
      step = steps.next();
    }
    counts.push(step.value);
  }
  return tally.total(counts);
}
