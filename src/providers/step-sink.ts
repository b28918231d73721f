import type { OpenStep } from '../agents/open-step.ts';
import type { ReplySink } from '../call/reply-sink.ts';
import type { Failure } from '../domain/failure.ts';

/** Ends a step with the stream that is its result, or when that is dropped. */
export class StepSink implements ReplySink {
  readonly #step: OpenStep;

  constructor(step: OpenStep) {
    this.#step = step;
  }

  get ended(): boolean {
    return this.#step.ended;
  }

  arrived(handle: object): void {
    this.#step.endsWith(handle);
  }

  reading(handle?: object): void {
    this.#step.endsWith(handle);
  }

  event(): void {}

  streamEnded(): void {
    this.#step.end();
  }

  failed(error: unknown): void {
    this.#step.end(error === undefined ? { errorType: 'Error' } : { error });
  }

  failedWith({ type }: Failure): void {
    this.#step.end({ errorType: type });
  }
}
