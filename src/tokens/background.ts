import { tallyChat } from './chat.ts';
import { tallyCompletion, type CompletionOutput } from './completion.ts';
import { counterFor, loadsSlowly, messageCounterFor, qualityOfEncoding } from './encodings.ts';
import { JobQueue, type Steps } from './job-queue.ts';
import { profileOfModel, type ModelProfile } from './models.ts';
import type { Tally, TokenCount } from './tally.ts';
import { estimateTokens } from './text-weights.ts';
import { CountingWorker } from './worker/counting-worker.ts';
import { warnOnce } from './warnings.ts';

/**
 * Texts of this length and longer are counted in a worker. Posting a text blocks the event loop for
 * 0.3 ms per megabyte, counting it in slices for 8 to 30 ms. A shorter text is counted before a
 * worker would reply.
 */
const WORKER_FROM_CHARACTERS = 256 << 10;
/**
 * A run without a break is counted in one step. Beyond this length the step blocks the event loop
 * for too long.
 */
const WORKER_FROM_RUN = 16 << 10;

export interface BackgroundCounterOptions {
  /** Counts long texts off the main thread. When it fails they are counted on the main thread. */
  readonly worker?: Pick<CountingWorker, 'count'>;
}

/**
 * Counts after the reply, in slices of at most 4 ms, long texts in a worker. Callers never wait for
 * it.
 */
export class BackgroundCounter {
  readonly #queue: JobQueue = new JobQueue();
  readonly #worker: Pick<CountingWorker, 'count'>;

  constructor({ worker = new CountingWorker() }: BackgroundCounterOptions = {}) {
    this.#worker = worker;
  }

  /** Queues other work; see `JobQueue.run`. */
  run<T>(job: () => T | Steps<T>): Promise<T> {
    return this.#queue.run(job);
  }

  /** `countChat` in the background. */
  countChat(request: unknown, model?: string): Promise<TokenCount> {
    return this.#queue.run(() => this.#countTally(tallyChat(request, model)));
  }

  /** `countCompletion` in the background. */
  countCompletion(
    output: CompletionOutput,
    model?: string,
    request?: unknown,
  ): Promise<TokenCount> {
    return this.#queue.run(() => this.#countTally(tallyCompletion(output, model, request)));
  }

  /** Total tokens of plain texts, counted in the background. */
  countTexts(texts: readonly string[], model?: string): Promise<number> {
    const profile = profileOfModel(model);
    return this.#queue.run(() => this.#sumTexts(texts, profile));
  }

  /** Resolves when everything queued so far has been counted. */
  idle(): Promise<void> {
    return this.#queue.idle();
  }

  *#countTally(tally: Tally): Steps<TokenCount> {
    const counts: number[] = [];
    for (const { text } of tally.texts) counts.push(yield* this.#countText(text, tally.encoding));
    return tally.total(counts, qualityOfEncoding(tally.encoding));
  }

  *#sumTexts(texts: readonly string[], { encoding, estimated }: ModelProfile): Steps<number> {
    let sum = 0;
    for (const text of texts) {
      const tokens = yield* this.#countText(text, encoding);
      sum += estimated === undefined ? tokens : estimateTokens(text, tokens, estimated);
    }
    return Math.round(sum);
  }

  *#countText(text: string, encoding: string): Steps<number> {
    const counter = messageCounterFor(encoding);
    const known = counter.known(text);
    if (known !== undefined) return known;
    if (text.length >= WORKER_FROM_CHARACTERS || loadsSlowly(encoding)) {
      const counted = yield* this.#countInWorker(text, encoding);
      if (counted !== undefined) return counter.remember(text, counted);
    }
    const steps = counterFor(encoding).countInSteps(text);
    let step = steps.next();
    while (step.done !== true) {
      if (step.value === 'long' && text.length >= WORKER_FROM_RUN) {
        const counted = yield* this.#countInWorker(text, encoding);
        if (counted !== undefined) return counter.remember(text, counted);
      }
      yield;
      step = steps.next();
    }
    return counter.remember(text, step.value);
  }

  /** `undefined` when the worker failed. */
  *#countInWorker(text: string, encoding: string): Steps<number | undefined> {
    try {
      return (yield this.#worker.count(text, encoding)) as number;
    } catch (error) {
      warnOnce('worker', `Long texts are counted on the main thread: ${String(error)}`);
      return undefined;
    }
  }
}
