import { setTimeout as sleep } from 'node:timers/promises';
import { until } from './until.ts';

/** Long enough for a second rejection of the same call. */
const MORE_MS = 30;

/**
 * Names of unhandled rejections, without those handled by the test runner. Waits for the first one,
 * so `run` must fail.
 */
export async function unhandledRejections(run: () => void): Promise<readonly string[]> {
  const names: string[] = [];
  const others = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection');
  process.on('unhandledRejection', (reason) => {
    names.push(reason instanceof Error ? reason.constructor.name : typeof reason);
  });
  try {
    run();
    await until(() => names.length > 0);
    await sleep(MORE_MS);
    return names;
  } finally {
    process.removeAllListeners('unhandledRejection');
    for (const listener of others) process.on('unhandledRejection', listener);
  }
}
