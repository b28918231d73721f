import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { textTable } from '../../src/cli/text-table.ts';
import { BackgroundCounter } from '../../src/tokens/background.ts';
import { target } from './report.ts';
import { percentile } from './statistics.ts';

const CALLS_PER_SECOND = 50;
const SECONDS = 20;
const PROBE_MS = 5;

/** Timer delay while fifty calls per second end, each with a new message of one megabyte. */
export async function benchEventLoop(english: string): Promise<void> {
  const counter = new BackgroundCounter();
  await counter.countTexts([english]);
  const idle = await delaysWhile(() => undefined);
  let call = 0;
  let counted = 0;
  const busy = await delaysWhile(() => {
    // Slicing a string is free, so only counting is measured.
    const text = english.slice(call++);
    void counter.countTexts([text], 'gpt-4o').then((tokens) => (counted += tokens));
  });
  await counter.idle();
  const rows = [
    ['idle', ...summary(idle)],
    [`${CALLS_PER_SECOND} calls/s of 1 MB`, ...summary(busy)],
  ];
  const head = ['event loop', 'p50 ms', 'p99 ms', 'p99.9 ms', 'max ms'];
  console.log('\n## Delay of the event loop while counting behind calls\n');
  console.log(textTable(head, rows, head.slice(1)));
  console.log(`${call} calls, ${counted} tokens\n`);
  const added = percentile(busy, 0.999) - percentile(idle, 0.999);
  target('event loop: added delay at p99.9, ms', added, '≤', 10);
}

function summary(delays: readonly number[]): string[] {
  return [0.5, 0.99, 0.999, 1].map((share) => percentile(delays, share).toFixed(1));
}

async function delaysWhile(act: () => void): Promise<number[]> {
  const delays: number[] = [];
  const end = performance.now() + 1000 * SECONDS;
  const calls = setInterval(act, 1000 / CALLS_PER_SECOND);
  while (performance.now() < end) {
    const start = performance.now();
    await sleep(PROBE_MS);
    delays.push(Math.max(0, performance.now() - start - PROBE_MS));
  }
  clearInterval(calls);
  return delays;
}
