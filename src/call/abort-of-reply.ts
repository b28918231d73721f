import { quietly } from '../host/quietly.ts';

/** How long a reader has to notice the abort and to read what is buffered, ms. */
const GRACE_MS = 1000;

/**
 * Calls `onAbort` a second after the request behind a reply was aborted, also when nobody reads the reply. For streams
 * with an own AbortController, as those of the OpenAI and Anthropic SDKs. `handle` is not kept alive. Returns
 * what ends the watch.
 */
export function watchAbort(handle: object, onAbort: () => void): (() => void) | undefined {
  return quietly('watching for an abort', () => {
    const controller: unknown = Object.getOwnPropertyDescriptor(handle, 'controller')?.value;
    if (!(controller instanceof AbortController)) return undefined;
    const { signal } = controller;
    const listener = (): void => {
      setTimeout(onAbort, GRACE_MS).unref();
    };
    if (signal.aborted) listener();
    else signal.addEventListener('abort', listener, { once: true });
    return () => signal.removeEventListener('abort', listener);
  });
}
