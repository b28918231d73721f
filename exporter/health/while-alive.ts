import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Waits for work that by itself does not keep the process alive, at most `withinMs`. Never rejects;
 * true when the work was done, or failed, in time.
 */
export async function whileAlive(work: Promise<unknown>, withinMs: number): Promise<boolean> {
  const timeout = new AbortController();
  const ended = work.then(
    () => true,
    () => true,
  );
  const late = sleep(withinMs, false, { signal: timeout.signal }).catch(() => false);
  const inTime = await Promise.race([ended, late]);
  timeout.abort();
  return inTime;
}
