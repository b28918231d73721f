import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

/**
 * Collects garbage until `done`, and tells whether it is; what is only told by a finalizer comes a turn
 * or more later.
 */
export async function collectUntil(done: () => boolean): Promise<boolean> {
  for (let turn = 0; turn < 50 && !done(); turn++) {
    gc();
    await sleep(20);
  }
  return done();
}

/** Collects all that can be, by several turns: one finalizer may free what another waits for. */
export async function collectAll(): Promise<void> {
  for (let turn = 0; turn < 12; turn++) {
    gc();
    await sleep(20);
  }
}

/** Bytes in use when nothing more can be collected. */
export async function heapInUse(): Promise<number> {
  await collectAll();
  return process.memoryUsage().heapUsed;
}
