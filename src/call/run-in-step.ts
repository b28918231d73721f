import type { OpenStep } from '../agents/open-step.ts';
import { quietly } from '../host/quietly.ts';
import { setOwn } from '../host/own-property.ts';
import { followed } from './followed.ts';

type Advance = (...args: unknown[]) => unknown;

/** What surrounds a function from its call to its end. */
export type Surrounding = Pick<OpenStep, 'run' | 'end' | 'endsWith'>;

export interface RunInStepOptions {
  /** Adds the result to the step's span, where content is captured. @default false */
  readonly withOutput?: boolean;
  /** Whether what was thrown is a failure of the step. @default always */
  readonly isFailure?: ((error: unknown) => boolean) | undefined;
  /** Whether others may have the promise that `fn` returns: see `Follower`. @default false */
  readonly isShared?: boolean;
  /** True for a value that ends the step later on, such as a stream. */
  readonly endsLater?: (value: unknown) => boolean;
}

/**
 * Runs `fn` in a step, which ends when `fn` has ended: a promise has settled, an async generator is read to its end or
 * left. Returns and throws what `fn` does.
 */
export function runInStep<T>(
  step: Surrounding | undefined,
  fn: () => T,
  {
    withOutput = false,
    isShared = false,
    endsLater,
    isFailure = () => true,
  }: RunInStepOptions = {},
): T {
  if (step === undefined) return fn();
  const failed = (error: unknown): void => {
    if (isFailure(error)) endWithError(step, error);
    else step.end();
  };
  let result: T;
  try {
    result = step.run(fn);
  } catch (error) {
    quietly('ending a step', () => failed(error));
    throw error;
  }
  if (isAsyncGenerator(result)) {
    followGenerator(result, step);
    return result;
  }
  return followed(result, {
    onValue: (value) => {
      if (endsLater?.(value) === true) return;
      if (isAsyncGenerator(value)) followGenerator(value, step);
      else step.end(withOutput ? { output: value } : {});
    },
    onError: failed,
    onUnwatchable: () => step.end(),
    isShared,
  });
}

function endWithError(step: Surrounding, error: unknown): void {
  step.end(error === undefined ? { errorType: 'Error' } : { error });
}

/** The members of a value may be anything, such as a getter that throws. */
function isAsyncGenerator(value: unknown): value is AsyncGenerator {
  const found = quietly('watching a result', () => {
    const { next, [Symbol.asyncIterator]: iterator } = (value ?? {}) as Partial<AsyncGenerator>;
    return typeof next === 'function' && typeof iterator === 'function';
  });
  return found === true;
}

/** Each part of it is made in the step. What its methods return at once they still return at once. */
function followGenerator(generator: AsyncGenerator, step: Surrounding): void {
  quietly('watching a generator', () => {
    step.endsWith(generator);
    for (const name of ['next', 'return', 'throw'] as const) {
      const original = (generator as unknown as Record<string, unknown>)[name];
      if (typeof original !== 'function') continue;
      const advance = original.bind(generator) as Advance;
      setOwn(generator, name, (...args: unknown[]): unknown => {
        const fail = (error: unknown): void => endWithError(step, error);
        let part: unknown;
        try {
          part = step.run(() => advance(...args));
        } catch (error) {
          fail(error);
          throw error;
        }
        return followed(part, {
          onValue: (value) => {
            if (name === 'return' || (value as IteratorResult<unknown>).done === true) step.end();
          },
          onError: fail,
          onUnwatchable: () => step.end(),
        });
      });
    }
  });
}
