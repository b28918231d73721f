import { activeContext, runIn } from '../../context.ts';
import { isPatched, ownerOf, replaceMethod } from '../patching.ts';

type AnyMethod = (this: unknown, ...args: unknown[]) => unknown;

/** Methods of LangChain's `AsyncCaller`, and which argument of each is the function that waits. */
const QUEUED = { call: 0, callWithOptions: 1 } as const;

/**
 * With `maxConcurrency` a call may wait in a queue, which starts it from within whichever call has just
 * ended, and so in that one's Context: under another user's name. Each goes on in its own from here on.
 */
export function keepContext(caller: unknown): void {
  for (const [name, at] of Object.entries(QUEUED)) {
    const owner = ownerOf(caller, name);
    if (owner !== undefined && !isPatched(owner, name)) {
      replaceMethod<AnyMethod>(owner, name, (original) => boundTo(original, at));
    }
  }
}

function boundTo(original: AnyMethod, at: number): AnyMethod {
  return function (this: unknown, ...args) {
    const waiting = args[at];
    if (typeof waiting === 'function') {
      const own = activeContext();
      args[at] = (...given: unknown[]): unknown =>
        runIn(own, () => (waiting as AnyMethod)(...given));
    }
    return original.apply(this, args);
  };
}
