import { writeSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import { InfluxUsageProcessor } from '../../exporter/influxdb/write/influx-usage-processor.ts';
import type { InfluxOptions } from '../../exporter/influxdb/influx-options.ts';
import { logOf, usageRecord } from './usage-logs.ts';

/** An application that only emits records, run as a separate process by the fault tests. */
export interface AppPlan {
  readonly options: InfluxOptions;
  /** Time of the first record. Records are a millisecond apart. */
  readonly from: number;
  readonly count: number;
  /** All at once when absent. */
  readonly perSecond?: number;
  readonly end: 'nothing' | 'exit' | 'stay' | 'shutdown';
  /** Simulates a library that ends the process on a signal if it is the only listener. */
  readonly otherListener?: true;
}

const plan = JSON.parse(process.argv[2] ?? '') as AppPlan;
if (plan.otherListener === true) {
  const listener = (signal: NodeJS.Signals): void => {
    if (process.listenerCount(signal) > 1) return;
    process.off(signal, listener);
    process.kill(process.pid, signal);
  };
  process.on('SIGTERM', listener);
}
const processor = new InfluxUsageProcessor(plan.options);
let emitted = 0;

function emit(): void {
  const { userId } = { userId: `user-${emitted % 50}` };
  const record = usageRecord(plan.from + emitted, { userId, inputTokens: 10, outputTokens: 5 });
  processor.onEmit(logOf(record));
  emitted++;
}

/** Writes one line of JSON synchronously, since a killed process cannot flush a stream. */
function printStatus(): void {
  if (!isMainThread) return;
  const { accepted, delivered, dropped, state, volatile = 0 } = processor.status();
  const { rss } = process.memoryUsage();
  writeSync(
    1,
    `${JSON.stringify({ emitted, accepted, delivered, dropped, state, volatile, rss })}\n`,
  );
}

if (plan.perSecond === undefined) {
  while (emitted < plan.count) emit();
} else {
  const start = performance.now();
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const due = Math.min(
        plan.count,
        Math.floor(((performance.now() - start) / 1000) * (plan.perSecond ?? 0)),
      );
      while (emitted < due) emit();
      printStatus();
      if (emitted < plan.count) return;
      clearInterval(timer);
      resolve();
    }, 10);
  });
}
if (plan.end === 'exit') process.exit(0);
if (plan.end === 'shutdown') {
  await processor.shutdown();
  printStatus();
}
if (plan.end === 'stay') setInterval(printStatus, 10);
