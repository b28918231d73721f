import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

/** Each collection of a worker that has loaded many SDKs takes 0.2 s of CPU. */
const PAUSES_MS = [20, 20, 40, 80, 160, ...Array.from({ length: 8 }, () => 250)];

/**
 * Runs garbage collection until `done`, for two seconds, and returns whether it is. Finalizers run one or more
 * turns later.
 */
export async function collectUntil(done: () => boolean): Promise<boolean> {
  for (const pauseMs of PAUSES_MS) {
    if (done()) break;
    gc();
    await sleep(pauseMs);
  }
  return done();
}

/** Collects in several turns, since one finalizer may make further objects unreachable. */
export async function collectAll(): Promise<void> {
  for (let turn = 0; turn < 6; turn++) {
    gc();
    await sleep(20);
  }
}

/** Bytes in use after a full collection. */
export async function heapInUse(): Promise<number> {
  await collectAll();
  return process.memoryUsage().heapUsed;
}
