import { existsSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { ownFile } from '../package-file.ts';
import type { CountReply, CountRequest } from './messages.ts';

/** Posting one part blocks the event loop for a third of a millisecond. */
const PART_CHARACTERS = 1 << 20;
const IDLE_MS = 30_000;
/** After this many failures no worker is started. */
const MAX_FAILURES = 3;
/** Much longer than any text that fits into memory takes. */
const ANSWER_MS = 120_000;

export interface CountingWorkerOptions {
  /** Starts the thread; replaced in tests. */
  readonly start?: () => Worker;
  readonly answerMs?: number;
  readonly idleMs?: number;
}

interface Waiting {
  readonly resolve: (tokens: number) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Counts in a separate thread, which starts with the first text and ends after half a minute
 * without one. It keeps the process alive only while it counts.
 */
export class CountingWorker {
  readonly #start: () => Worker;
  readonly #answerMs: number;
  readonly #idleMs: number;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #lastId = 0;

  constructor({
    start = startThread,
    answerMs = ANSWER_MS,
    idleMs = IDLE_MS,
  }: CountingWorkerOptions = {}) {
    this.#start = start;
    this.#answerMs = answerMs;
    this.#idleMs = idleMs;
  }

  /** Rejects when the thread cannot start, dies, or does not answer in time. */
  async count(text: string, encoding: string): Promise<number> {
    if (this.#failures >= MAX_FAILURES) throw new Error('The counting worker has failed too often');
    this.#worker ??= this.#open();
    const worker = this.#worker;
    const id = ++this.#lastId;
    const counted = new Promise<number>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
    });
    // The thread may die before the last part is sent and the promise is awaited.
    counted.catch(() => undefined);
    worker.ref();
    this.#setTimer(this.#answerMs, () => this.#fail(worker, new Error('no answer in time')));
    for (let at = 0; at < text.length; at += PART_CHARACTERS) {
      // One part per turn of the event loop.
      if (at > 0) await new Promise((resolve) => setImmediate(resolve));
      const part = text.slice(at, at + PART_CHARACTERS);
      const last = at + PART_CHARACTERS >= text.length;
      worker.postMessage({ id, encoding, part, last } satisfies CountRequest);
    }
    return counted;
  }

  #open(): Worker {
    const worker = this.#startCounted();
    worker.on('message', (reply: CountReply) => this.#settle(worker, reply));
    worker.on('error', (error: Error) => this.#fail(worker, error));
    worker.on('exit', () => this.#fail(worker, new Error('ended')));
    return worker;
  }

  #startCounted(): Worker {
    try {
      return this.#start();
    } catch (error) {
      this.#failures++;
      throw error;
    }
  }

  #settle(worker: Worker, { id, tokens, error }: CountReply): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (tokens === undefined) waiting?.reject(new Error(error));
    else waiting?.resolve(tokens);
    this.#failures = 0;
    if (this.#waiting.size > 0) return;
    worker.unref();
    this.#setTimer(this.#idleMs, () => this.#close());
  }

  #fail(worker: Worker, error: Error): void {
    if (worker !== this.#worker) return;
    this.#failures++;
    this.#close();
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }

  #close(): void {
    clearTimeout(this.#timer);
    const worker = this.#worker;
    this.#worker = undefined;
    void worker?.terminate().catch(() => undefined);
  }

  #setTimer(delayMs: number, then: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(then, delayMs);
    this.#timer.unref();
  }
}

/** Starts without the flags and preloads of this process, so that it does not instrument itself. */
function startThread(): Worker {
  const options = { execArgv: [], env: {}, name: 'otel-token-meter' };
  const here = import.meta.url as string | undefined;
  const beside = here === undefined ? undefined : new URL('./counting-thread.ts', here);
  if (beside !== undefined && existsSync(beside)) return new Worker(beside, options);
  const installed = ownFile('dist/counting-thread.js');
  if (installed !== undefined) return new Worker(installed, options);
  if (here === undefined) throw new Error('the bundle has no worker file');
  // Inlined, because webpack and Turbopack create an entry for a thread only from this form.
  return new Worker(new URL('./counting-thread.ts', import.meta.url), options);
}
