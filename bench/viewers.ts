/**
 * Measures people who open the dashboard of 30 days at once: from the first question to each panel.
 *
 *     npm run bench:viewers -- [--records 1000000] [--users 200] [--viewers 20] [--only sqlite|influxdb|clickhouse]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { UsageQuery, UsageReader } from '../exporter/ledger/usage-query.ts';
import { END } from './queries/ledger.ts';
import { cpuMsOf } from './queries/server-cpu.ts';
import { openStores, type OpenStore } from './queries/stores.ts';

const RANGE_MS = 30 * 86_400_000;

const { values: options } = parseArgs({
  options: {
    records: { type: 'string', default: '1000000' },
    users: { type: 'string', default: '200' },
    viewers: { type: 'string', default: '20' },
    only: { type: 'string' },
  },
});
const [count, users, viewers] = [options.records, options.users, options.viewers].map(Number) as [
  number,
  number,
  number,
];

/** The panels of a dashboard. */
const PANELS: readonly Omit<UsageQuery, 'from' | 'to'>[] = [
  { compare: 'previous', distinct: true },
  { groupBy: ['day', 'model'], timeZone: 'Europe/Berlin' },
  { groupBy: ['day', 'outcome'], timeZone: 'Europe/Berlin' },
  { groupBy: ['user'], limit: 10, compare: 'previous' },
  { groupBy: ['conversation'], limit: 10 },
  { groupBy: ['model'], percentiles: true },
  { groupBy: ['provider'], orderBy: 'costUsd' },
];

/** Everybody begins within a second, and has separate questions: their `to` is another moment. */
async function watch(reader: UsageReader, viewer: number): Promise<readonly number[]> {
  await new Promise((resolve) => setTimeout(resolve, (viewer / viewers) * 1000));
  const start = performance.now();
  const to = new Date(END - viewer);
  const from = new Date(to.getTime() - RANGE_MS);
  return await Promise.all(
    PANELS.map(async (panel) => {
      await reader.summary({ from, to, ...panel, askedBy: `viewer ${viewer}` });
      return performance.now() - start;
    }),
  );
}

const folder = mkdtempSync(join(tmpdir(), 'token-meter-bench-'));
/** Unref'd children do not delay the end of the process. */
const alive = setInterval(() => {}, 1000);
let stores: readonly OpenStore[] = [];
try {
  stores = await openStores({ folder, count, users }, options.only);
  console.log(
    `${count} calls of ${users} users; ${viewers} viewers, ${PANELS.length} panels each; Node ${process.version}, ` +
      `${cpus().length} × ${cpus()[0]?.model ?? ''}, load ${loadavg()[0]?.toFixed(1)}, ` +
      new Date().toISOString().slice(0, 10),
  );
  console.log(
    '\n| store | median ms | p95 ms | last panel ms | CPU ms here | CPU ms of the server |',
  );
  console.log('|---|--:|--:|--:|--:|--:|');
  for (const { name, open, pid } of stores) {
    const reader = open();
    const before = { here: process.cpuUsage(), there: cpuMsOf(pid) };
    const all = await Promise.all(
      Array.from({ length: viewers }, async (_, viewer) => await watch(reader, viewer)),
    );
    const used = process.cpuUsage(before.here);
    const there = cpuMsOf(pid) - before.there;
    await reader.close();
    const times = all.flat().toSorted((a, b) => a - b);
    const at = (share: number): string =>
      (times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0).toFixed(0);
    const here = (used.user + used.system) / 1000;
    console.log(
      `| ${name} | ${at(0.5)} | ${at(0.95)} | ${at(1)} | ${here.toFixed(0)} | ${there} |`,
    );
  }
} finally {
  for (const store of stores) await store.close();
  rmSync(folder, { recursive: true, force: true });
  clearInterval(alive);
}
