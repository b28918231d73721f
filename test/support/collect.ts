import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

/** Collects garbage until `done`; what is only told by a finalizer comes a turn or more later. */
export async function collectUntil(done: () => boolean, timeoutMs = 10_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!done() && performance.now() < deadline) {
    gc();
    await sleep(20);
  }
}

/** Bytes in use when nothing more can be collected. */
export async function heapInUse(): Promise<number> {
  await collectUntil(() => false, 300);
  return process.memoryUsage().heapUsed;
}
