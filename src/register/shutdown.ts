import type { EventEmitter } from 'node:events';
import { isMainThread } from 'node:worker_threads';
import { isPassedOn, isTakenByOthers, passesOn } from '../host/signal-listeners.ts';

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;
/** An orchestrator kills after ten seconds or more; a person at a terminal waits less. */
const SIGNAL_DEADLINE_MS = 3000;

/** What is done when the process ends. None may reject. */
export interface AtEnd {
  /**
   * By itself: nothing else is left to do. Work that keeps the process alive makes Node emit `beforeExit`
   * to the host's listeners once more, so there must be none unless something waits.
   */
  readonly byItself: () => Promise<void>;
  readonly bySignal: () => Promise<void>;
}

/**
 * Runs one of them before the process ends by itself or by a signal. A signal is
 * listened to only while nobody else does, that is while it would end the process at once: then it ends
 * it after `bySignal`, and without waiting when it comes again. As soon as somebody else listens our
 * listener is gone, so that code that counts listeners (signal-exit 3 and 4) finds the process as without
 * us; when the last of them is taken off, to let the signal have its effect, ours is back.
 */
export function onShutdown({ byItself, bySignal }: AtEnd, host: NodeJS.Process = process): void {
  host.once('beforeExit', () => void byItself());
  // Threads get no signals.
  if (!isMainThread) return;
  for (const signal of SIGNALS) listenTo(signal, bySignal, host);
}

function listenTo(signal: NodeJS.Signals, close: () => Promise<void>, host: NodeJS.Process): void {
  let isEnding = false;
  let isDone = false;
  const end = (): void => {
    isDone = true;
    host.off(signal, listener);
    host.kill(host.pid, signal);
  };
  const listener = passesOn(() => {
    if (isEnding) return end();
    isEnding = true;
    void Promise.race([close(), deadline()]).then(end);
  });
  const listen = (): void => {
    if (isDone || isTakenByOthers(host, signal)) return;
    if (!host.listeners(signal).includes(listener)) host.on(signal, listener);
  };
  // Before Node's own listener, which starts to watch the signal for the one that is being added.
  const onNew = (event: string | symbol, added: object): void => {
    if (event !== signal || added === listener || isPassedOn(added)) return;
    host.off(signal, listener);
  };
  // @types/node has no prependListener for this event.
  (host as EventEmitter).prependListener('newListener', onNew);
  host.on('removeListener', (event, removed) => {
    if (event === signal && removed !== listener) listen();
  });
  listen();
}

function deadline(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, SIGNAL_DEADLINE_MS).unref());
}
