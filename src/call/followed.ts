import { types } from 'node:util';
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
  /**
   * Others may hold the very promise and handle its rejection there: it is handed on itself. Its rejection then counts
   * as handled, since it is watched. @default false
   */
  readonly isShared?: boolean;
}

/**
 * No subclass, and no `then` of its own: nothing but the value can be had of it, and of its own members. False for a
 * revoked proxy, of which nothing can be asked.
 */
function isPlainPromise(value: unknown): value is Promise<unknown> {
  try {
    return (
      value instanceof Promise &&
      Object.getPrototypeOf(value) === Promise.prototype &&
      !Object.hasOwn(value, 'then')
    );
  } catch {
    return false;
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as { then?: unknown }).then === 'function'
  );
}

/**
 * What to hand on in place of `result`: for a promise that nobody else has one that follows it, so that a rejection
 * nobody awaits is still an unhandled rejection; anything else stays the object it is.
 */
export function followed<T>(result: T, follower: Follower): T {
  if (isPlainPromise(result)) {
    const onValue = (value: unknown): void => {
      quietly('watching a result', () => follower.onValue(value));
    };
    const onError = (error: unknown): void => {
      quietly('watching a result', () => follower.onError(error));
    };
    if (follower.isShared === true) {
      void result.then(onValue, onError);
      return result;
    }
    const next = result.then(
      (value: unknown) => {
        onValue(value);
        return value;
      },
      (error: unknown) => {
        onError(error);
        throw error;
      },
    );
    keepMembers(result, next);
    return next as T;
  }
  const isWatched = quietly('watching a result', () => {
    if (isThenable(result)) followThenable(result, follower);
    else follower.onValue(result);
    return true;
  });
  if (isWatched !== true) quietly('watching a result', () => follower.onUnwatchable());
  return result;
}

/** Such as `cancel()` or `json()`, which some libraries add to a promise. Symbols on it are Node's. */
function keepMembers(promise: object, next: object): void {
  for (const name of Object.getOwnPropertyNames(promise)) {
    const member = Object.getOwnPropertyDescriptor(promise, name);
    if (member !== undefined) Object.defineProperty(next, name, member);
  }
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

/** Whether the promise that a function returns may be one that others have: an async function makes its own. */
export function mayShare(fn: unknown): boolean {
  return !types.isAsyncFunction(fn);
}
