import { quietly } from '../host/quietly.ts';

/** How long a reader has to notice the abort and to read what is buffered, ms. */
const GRACE_MS = 1000;

/**
 * Calls `onAbort` a second after the request behind a reply was aborted, also when nobody reads the reply. For streams
 * with an own AbortController, as those of the OpenAI and Anthropic SDKs. `handle` is not kept alive. Returns
 * what ends the watch.
 */
export function watchAbort(handle: object, onAbort: () => void): (() => void) | undefined {
  const signal = quietly('watching for an abort', () => signalOf(handle));
  return signal && listen(signal, afterGrace(onAbort));
}

function signalOf(handle: object): AbortSignal | undefined {
  const controller: unknown = Object.getOwnPropertyDescriptor(handle, 'controller')?.value;
  return controller instanceof AbortController ? controller.signal : undefined;
}

// A function that is made beside `handle` or the signal would keep them, and with them the reply.

function afterGrace(onAbort: () => void): () => void {
  return () => void setTimeout(onAbort, GRACE_MS).unref();
}

function listen(signal: AbortSignal, listener: () => void): () => void {
  if (signal.aborted) listener();
  else signal.addEventListener('abort', listener, { once: true });
  return unlisten(new WeakRef(signal), listener);
}

function unlisten(signal: WeakRef<AbortSignal>, listener: () => void): () => void {
  return () => signal.deref()?.removeEventListener('abort', listener);
}
