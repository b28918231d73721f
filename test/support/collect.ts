import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

/**
 * Runs garbage collection until `done` and returns whether it is. Finalizers run one or more turns
 * later.
 */
export async function collectUntil(done: () => boolean): Promise<boolean> {
  for (let turn = 0; turn < 50 && !done(); turn++) {
    gc();
    await sleep(20);
  }
  return done();
}

/** Collects in several turns, since one finalizer may make further objects unreachable. */
export async function collectAll(): Promise<void> {
  for (let turn = 0; turn < 12; turn++) {
    gc();
    await sleep(20);
  }
}

/** Bytes in use after a full collection. */
export async function heapInUse(): Promise<number> {
  await collectAll();
  return process.memoryUsage().heapUsed;
}
