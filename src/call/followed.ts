import { setOwn } from '../host/own-property.ts';
import { quietly } from '../host/quietly.ts';

type Then = (
  onValue: (value: unknown) => unknown,
  onError: (error: unknown) => unknown,
) => PromiseLike<unknown>;

export interface Follower {
  readonly onValue: (value: unknown) => void;
  readonly onError: (error: unknown) => void;
  /** The value may never be asked for: `promise` does its work when its `then` is called. */
  readonly onLazy?: (promise: object) => void;
  /** The value will come by a way that cannot be watched. */
  readonly onUnwatchable: () => void;
}

/** No subclass, and no `then` of its own: nothing but the value can be had of it. */
function isPlainPromise(value: unknown): value is Promise<unknown> {
  return (
    value instanceof Promise &&
    Object.getPrototypeOf(value) === Promise.prototype &&
    !Object.hasOwn(value, 'then')
  );
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as { then?: unknown }).then === 'function'
  );
}

/**
 * What to hand on in place of `result`: for a promise one that follows it, so that a rejection nobody
 * awaits is still an unhandled rejection; anything else stays the object it is.
 */
export function followed<T>(result: T, follower: Follower): T {
  if (isPlainPromise(result)) {
    return result.then(
      (value: unknown) => {
        quietly('watching a result', () => follower.onValue(value));
        return value;
      },
      (error: unknown) => {
        quietly('watching a result', () => follower.onError(error));
        throw error;
      },
    ) as T;
  }
  quietly('watching a result', () => {
    if (isThenable(result)) followThenable(result, follower);
    else follower.onValue(result);
  });
  return result;
}

/**
 * A promise with methods of its own (`withResponse()` …) must stay itself, and may do its work only
 * when `then` is called: so `then` is replaced on the object, and never called from here.
 */
function followThenable(promise: PromiseLike<unknown>, follower: Follower): void {
  const then = promise.then.bind(promise) as Then;
  let seen = false;
  const once = (look: () => void): void => {
    if (seen) return;
    seen = true;
    quietly('watching a result', look);
  };
  const replaced = setOwn(
    promise,
    'then',
    (
      onValue?: ((value: unknown) => unknown) | null,
      onError?: ((error: unknown) => unknown) | null,
    ): PromiseLike<unknown> =>
      then(
        (value) => {
          once(() => follower.onValue(value));
          return typeof onValue === 'function' ? onValue(value) : value;
        },
        (error: unknown) => {
          once(() => follower.onError(error));
          if (typeof onError === 'function') return onError(error);
          throw error;
        },
      ),
  );
  if (replaced) follower.onLazy?.(promise);
  else follower.onUnwatchable();
}
