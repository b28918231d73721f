import { setTimeout as sleep } from 'node:timers/promises';

/** Long enough for a call to a server on loopback to fail. */
const WAIT_MS = 150;

/** Names of the rejections that nobody handled, and not those of the test runner's own listener. */
export async function unhandledRejections(run: () => void): Promise<readonly string[]> {
  const names: string[] = [];
  const others = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection');
  process.on('unhandledRejection', (reason) => {
    names.push(reason instanceof Error ? reason.constructor.name : typeof reason);
  });
  try {
    run();
    await sleep(WAIT_MS);
    return names;
  } finally {
    process.removeAllListeners('unhandledRejection');
    for (const listener of others) process.on('unhandledRejection', listener);
  }
}
