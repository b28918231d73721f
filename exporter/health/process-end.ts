import { isMainThread } from 'node:worker_threads';
import { passesOn } from '../../src/host/signal-listeners.ts';

/** What has to be done when the process ends without a shutdown. */
export interface EndOfProcess {
  /** Nothing else is left to do: the last chance for asynchronous work, which must be short. */
  beforeExit(): Promise<void>;
  /** The process may end now, without another sign; synchronous. */
  save(): void;
  /** The last chance of all; synchronous. */
  exit(): void;
}

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;
const registered = new Set<EndOfProcess>();
/** `beforeExit` is emitted again after every asynchronous work that follows it. */
let isEnding = false;

function onBeforeExit(): void {
  if (isEnding) return;
  isEnding = true;
  void Promise.allSettled([...registered].map(async (one) => await one.beforeExit()));
}

function onExit(): void {
  for (const one of registered) one.exit();
}

/**
 * Steps aside before it does anything: whoever listens too, and whether a signal ends the process is often
 * decided by being the only one left, finds the process as without us. Without others the signal does what
 * it would have done.
 */
const onSignal = passesOn((signal) => {
  process.off(signal, onSignal);
  for (const one of registered) one.save();
  if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
  else setImmediate(listenTo, signal).unref();
});

function listenTo(signal: NodeJS.Signals): void {
  if (registered.size > 0 && !process.listeners(signal).includes(onSignal)) {
    process.prependListener(signal, onSignal);
  }
}

/** One set of listeners for all exporters of the process; they hold no process alive. */
export function atEndOfProcess(one: EndOfProcess): () => void {
  if (registered.size === 0) {
    isEnding = false;
    process.on('beforeExit', onBeforeExit);
    process.on('exit', onExit);
  }
  registered.add(one);
  // Threads get no signals.
  if (isMainThread) SIGNALS.forEach(listenTo);
  return () => {
    registered.delete(one);
    if (registered.size > 0) return;
    process.off('beforeExit', onBeforeExit);
    process.off('exit', onExit);
    for (const signal of SIGNALS) process.off(signal, onSignal);
  };
}
