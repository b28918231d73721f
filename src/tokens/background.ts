import { tallyChat } from './chat.ts';
import { tallyCompletion, type CompletionOutput } from './completion.ts';
import { counterFor, loadsSlowly, messageCounterFor, qualityOfEncoding } from './encodings.ts';
import { JobQueue, type Steps } from './job-queue.ts';
import { profileOfModel } from './models.ts';
import type { Tally, TokenCount } from './tally.ts';
import { CountingWorker } from './worker/counting-worker.ts';
import { warnOnce } from './warnings.ts';

/**
 * From here on a text is counted in a worker. Handing it over costs the event loop 0.3 ms a
 * megabyte, counting it in slices 8 to 30 ms; below, a slice is over before a worker would answer.
 */
const WORKER_FROM_CHARACTERS = 256 << 10;
/** A single run without a break is counted in one step: from here on that step is too long. */
const WORKER_FROM_RUN = 16 << 10;

export interface BackgroundCounterOptions {
  /** Counts long texts elsewhere; when it fails they are counted here. */
  readonly worker?: Pick<CountingWorker, 'count'>;
}

/**
 * Runs counting after the reply, in slices of at most 4 ms and for long texts in a worker, so that
 * no caller waits for it.
 */
export class BackgroundCounter {
  readonly #queue: JobQueue = new JobQueue();
  readonly #worker: Pick<CountingWorker, 'count'>;

  constructor({ worker = new CountingWorker() }: BackgroundCounterOptions = {}) {
    this.#worker = worker;
  }

  /** Any other work for later; see `JobQueue.run`. */
  run<T>(job: () => T | Steps<T>): Promise<T> {
    return this.#queue.run(job);
  }

  /** `countChat`, in the background. `model` as there. */
  countChat(request: unknown, model?: string): Promise<TokenCount> {
    return this.#queue.run(() => this.#countTally(tallyChat(request, model)));
  }

  /** `countCompletion`, in the background. */
  countCompletion(output: CompletionOutput, model?: string): Promise<TokenCount> {
    return this.#queue.run(() => this.#countTally(tallyCompletion(output, model)));
  }

  /** Tokens of bare texts together, in the background. */
  countTexts(texts: readonly string[], model?: string): Promise<number> {
    const { encoding } = profileOfModel(model);
    return this.#queue.run(() => this.#sumTexts(texts, encoding));
  }

  /** Resolves when all that was given so far is counted. */
  idle(): Promise<void> {
    return this.#queue.idle();
  }

  *#countTally(tally: Tally): Steps<TokenCount> {
    const counts: number[] = [];
    for (const { text } of tally.texts) counts.push(yield* this.#countText(text, tally.encoding));
    return tally.total(counts, qualityOfEncoding(tally.encoding));
  }

  *#sumTexts(texts: readonly string[], encoding: string): Steps<number> {
    let sum = 0;
    for (const text of texts) sum += yield* this.#countText(text, encoding);
    return sum;
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

  /** Undefined when the worker failed. */
  *#countInWorker(text: string, encoding: string): Steps<number | undefined> {
    try {
      return (yield this.#worker.count(text, encoding)) as number;
    } catch (error) {
      warnOnce('worker', `Long texts are counted on the main thread: ${String(error)}`);
      return undefined;
    }
  }
}
