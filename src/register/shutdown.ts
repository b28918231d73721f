const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;
/** An orchestrator kills after ten seconds or more; a person at a terminal waits less gladly. */
const SIGNAL_DEADLINE_MS = 3000;

/** Neither may reject. */
export interface Ending {
  /** May be called again: the process goes on. */
  flush(): Promise<void>;
  /** Flushes, and is the last. */
  close(): Promise<void>;
}

/**
 * Closes before the process ends by itself or by a signal. Where nobody else listens to the signal it
 * has its effect afterwards, and at once when it comes again; where the application does, ending is
 * its business and records are only flushed.
 */
export function onShutdown(ending: Ending, host: NodeJS.Process = process): void {
  host.once('beforeExit', () => void ending.close());
  for (const signal of SIGNALS) {
    let asked = false;
    const listener = (): void => {
      if (host.listenerCount(signal) > 1) {
        void ending.flush();
        return;
      }
      const end = (): void => {
        host.removeListener(signal, listener);
        host.kill(host.pid, signal);
      };
      if (asked) {
        end();
        return;
      }
      asked = true;
      void Promise.race([ending.close(), deadline()]).then(end);
    };
    host.on(signal, listener);
  }
}

function deadline(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, SIGNAL_DEADLINE_MS).unref());
}
