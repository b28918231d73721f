/**
 * Measures dashboard queries over a ledger of 1,000,000 calls in 90 days, on SQLite and, if
 * they are installed, on InfluxDB 1.x and ClickHouse:
 *
 *     npm run bench:queries -- [--records 1000000] [--users 200] [--rounds 5] [--only sqlite|influxdb|clickhouse]
 *         [--generated]
 *
 * `--generated`: ClickHouse makes the calls itself, for ledgers of a hundred million.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { UsageQuery } from '../exporter/ledger/usage-query.ts';
import { DAYS, END } from './queries/ledger.ts';
import { cpuMsOf } from './queries/server-cpu.ts';
import { openStores, type OpenStore } from './queries/stores.ts';

const DAY_MS = 86_400_000;
/** Answers may be so old. */
const SHARED_MS = 1050;

const { values: options } = parseArgs({
  options: {
    records: { type: 'string', default: '1000000' },
    users: { type: 'string', default: '200' },
    rounds: { type: 'string', default: '5' },
    only: { type: 'string' },
    generated: { type: 'boolean', default: false },
  },
});
const count = Number(options.records);
const users = Number(options.users);
const rounds = Number(options.rounds);

const ago = (days: number): Date => new Date(END - days * DAY_MS);
const to = new Date(END);
const QUESTIONS: readonly (readonly [name: string, query: UsageQuery, targetMs?: number])[] = [
  ['24 h: total', { from: ago(1), to }, 20],
  ['24 h: total compared with the previous day', { from: ago(1), to, compare: 'previous' }],
  ['24 h: by hour × model', { from: ago(1), to, groupBy: ['hour', 'model'] }],
  ['24 h: by user', { from: ago(1), to, groupBy: ['user'] }],
  ['24 h: by conversation', { from: ago(1), to, groupBy: ['conversation'] }],
  ['24 h: percentiles by model', { from: ago(1), to, groupBy: ['model'], percentiles: true }],
  ['90 days: total', { from: ago(90), to }],
  ['90 days: by day × model', { from: ago(90), to, groupBy: ['day', 'model'] }, 50],
  [
    '90 days: by day × model, Europe/Berlin',
    { from: ago(90), to, groupBy: ['day', 'model'], timeZone: 'Europe/Berlin' },
  ],
  ['90 days: by user', { from: ago(90), to, groupBy: ['user'] }],
  ['90 days: by conversation', { from: ago(90), to, groupBy: ['conversation'] }],
  ['90 days: percentiles', { from: ago(90), to, percentiles: true }],
  ['30 days: by conversation', { from: ago(30), to, groupBy: ['conversation'], orderBy: 'calls' }],
  [
    '30 days: users and conversations counted, and the period before',
    { from: ago(30), to, distinct: true, compare: 'previous' },
  ],
];

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/**
 * The first time, by a reader that has kept no sums, and the median of those after it, each later than what readers
 * share; in brackets the CPU time of the server. Slow queries run fewer rounds.
 */
async function timed(
  { pid }: OpenStore,
  ask: (round: number) => Promise<unknown>,
): Promise<string> {
  const times: number[] = [];
  const used: number[] = [];
  const giveUpAt = performance.now() + 15_000;
  for (let round = 0; round < rounds && performance.now() < giveUpAt; round++) {
    if (round > 0) await sleep(SHARED_MS);
    const [start, cpu] = [performance.now(), cpuMsOf(pid)];
    await ask(round);
    times.push(performance.now() - start);
    used.push(cpuMsOf(pid) - cpu);
  }
  const [first = Number.NaN, ...later] = times;
  const [cpu, ...laterCpu] = used;
  const server = pid === undefined ? '' : ` (${cpu} / ${median(laterCpu)})`;
  return `${first.toFixed(1)} / ${median(later).toFixed(1)}${server}`;
}

const folder = mkdtempSync(join(tmpdir(), 'token-meter-bench-'));
/** Unref'd children do not delay the end of the process. */
const alive = setInterval(() => {}, 1000);
let stores: readonly OpenStore[] = [];

console.log(
  `${count} calls of ${users} users in ${DAYS} days; Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? ''}, ` +
    `load ${loadavg()[0]?.toFixed(1)}, ${new Date().toISOString().slice(0, 10)}`,
);
try {
  stores = await openStores({ folder, count, users, generated: options.generated }, options.only);
  console.log(
    `\n| query | ${stores.map(({ name }) => `${name} ms: first / again`).join(' | ')} | target ms |`,
  );
  console.log(`|---|${stores.map(() => '--:').join('|')}|--:|`);
  for (const [name, query, target] of QUESTIONS) {
    const cells: string[] = [];
    for (const store of stores) {
      const reader = store.open();
      // What is loaded with the first question of all is no matter of this one.
      await reader.records({ limit: 1 });
      const { from } = query;
      const ask = async (round: number): Promise<unknown> =>
        await reader.summary({ ...query, from: new Date(from.getTime() + round) });
      cells.push(await timed(store, ask));
      await reader.close();
    }
    console.log(`| ${name} | ${cells.join(' | ')} | ${target ?? ''} |`);
  }
  const pages: string[] = [];
  for (const store of stores) {
    const reader = store.open();
    pages.push(await timed(store, async (round) => await reader.records({ limit: 100 - round })));
    await reader.close();
  }
  console.log(`| newest 100 records | ${pages.join(' | ')} | |`);
} finally {
  for (const store of stores) await store.close();
  rmSync(folder, { recursive: true, force: true });
  clearInterval(alive);
}
