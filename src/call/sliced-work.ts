import { setImmediate as nextTurn } from 'node:timers/promises';
import { quietly } from '../host/quietly.ts';

/** The event loop is held no longer than this at a time. */
const SLICE_MS = 5;

const running = new Set<Promise<void>>();

/**
 * Takes all steps, in slices between the turns of the event loop, so that nobody waits for work of any
 * length. A step that throws is skipped.
 */
export function workInSlices(steps: Iterator<unknown>): void {
  const work = takeSteps(steps).finally(() => running.delete(work));
  running.add(work);
}

/** Resolves when all such work that has begun by now is done. */
export async function slicedWorkDone(): Promise<void> {
  await Promise.all(running);
}

async function takeSteps(steps: Iterator<unknown>): Promise<void> {
  let isDone = false;
  do {
    await nextTurn();
    const end = performance.now() + SLICE_MS;
    do {
      isDone = quietly('working off the path', () => steps.next().done) ?? false;
    } while (!isDone && performance.now() < end);
  } while (!isDone);
}
