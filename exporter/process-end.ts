import { isMainThread } from 'node:worker_threads';

/** What has to be done when the process ends without a shutdown. */
export interface EndOfProcess {
  /** Nothing else is left to do: the last chance for asynchronous work, which must be short. */
  beforeExit(): Promise<void>;
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
 * Does what the signal would have done without this listener. Where others listen too, the end is theirs
 * to decide, and `exit` follows it.
 */
function onSignal(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) > 1) return;
  onExit();
  for (const each of SIGNALS) process.off(each, onSignal);
  process.kill(process.pid, signal);
}

/** One set of listeners for all exporters of the process; they hold no process alive. */
export function atEndOfProcess(one: EndOfProcess): () => void {
  if (registered.size === 0) {
    isEnding = false;
    process.on('beforeExit', onBeforeExit);
    process.on('exit', onExit);
    // Threads get no signals.
    if (isMainThread) for (const signal of SIGNALS) process.on(signal, onSignal);
  }
  registered.add(one);
  return () => {
    registered.delete(one);
    if (registered.size > 0) return;
    process.off('beforeExit', onBeforeExit);
    process.off('exit', onExit);
    for (const signal of SIGNALS) process.off(signal, onSignal);
  };
}
