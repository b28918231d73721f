/**
 * Measures dashboard queries over a ledger of 1,000,000 calls in 90 days, on SQLite and, if
 * they are installed, on InfluxDB 1.x and ClickHouse:
 *
 *     npm run bench:queries -- [--records 1000000] [--users 200] [--rounds 15] [--only sqlite|influxdb|clickhouse]
 *         [--generated]
 *
 * `--generated`: ClickHouse makes the calls itself, for ledgers of a hundred million.
 */
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { parseArgs } from 'node:util';
import { rollUpInfluxLedger } from '../exporter/influxdb/rollup/influx-roll-up.ts';
import { InfluxUsageReader } from '../exporter/influxdb/read/influx-usage-reader.ts';
import { UsageLineWriter } from '../exporter/influxdb/write/lines/usage-line.ts';
import { LedgerFile } from '../exporter/sqlite/write/ledger-file.ts';
import { SqliteUsageReader } from '../exporter/sqlite/read/sqlite-usage-reader.ts';
import type { UsageQuery, UsageReader } from '../exporter/ledger/usage-query.ts';
import type { UsageRecord } from '../src/domain/usage-record.ts';
import { startInfluxd } from '../test/support/servers.ts';
import { hasClickHouse, openClickHouse } from './queries/clickhouse.ts';
import { randomOf } from '../test/support/usage-ledger.ts';

const DAY_MS = 86_400_000;
const DAYS = 90;
const END = Date.parse('2026-11-20T10:20:30Z');
const BATCH = 10_000;
const MODELS = ['gpt-4o', 'gpt-4o-mini', 'claude-sonnet-4-5', 'gemini-2.5-flash', 'mistral-large'];

const { values: options } = parseArgs({
  options: {
    records: { type: 'string', default: '1000000' },
    users: { type: 'string', default: '200' },
    rounds: { type: 'string', default: '15' },
    only: { type: 'string' },
    generated: { type: 'boolean', default: false },
  },
});
const count = Number(options.records);
const users = Number(options.users);
const rounds = Number(options.rounds);

/** Many users, 5 models, 2 services, conversations of about 6 calls. */
function* ledger(): Generator<UsageRecord> {
  const random = randomOf(1);
  const start = END - DAYS * DAY_MS;
  for (let index = 0; index < count; index++) {
    const at = new Date(start + (index / count) * DAYS * DAY_MS).toISOString().slice(0, -1);
    const user = Math.floor(random() ** 2 * users);
    const inputTokens = Math.floor(random() * 4000);
    const outputTokens = Math.floor(random() * 800);
    const isFailed = random() < 0.02;
    yield {
      id: `record-${String(index).padStart(10, '0')}`,
      time: `${at}${String(index % 1_000_000).padStart(6, '0')}Z`,
      service: index % 4 === 0 ? 'batch' : 'chat',
      operation: 'chat',
      provider: 'openai',
      requestModel: MODELS[Math.floor(random() ** 2 * MODELS.length)] ?? 'gpt-4o',
      userId: `user-${String(user).padStart(5, '0')}`,
      conversationId: `c-${user}-${Math.floor(index / (6 * users))}`,
      durationMs: Math.round(200 + random() ** 4 * 30_000),
      timeToFirstChunkMs: Math.round(100 + random() * 900),
      outcome: isFailed ? 'error' : 'ok',
      ...(!isFailed && {
        inputTokens,
        outputTokens,
        totalTokens: inputTokens + outputTokens,
        cacheReadTokens: Math.floor(inputTokens / 4),
        tokenSource: 'provider' as const,
        costUsd: (inputTokens * 2500 + outputTokens * 10_000) / 1e9,
      }),
      attributes: {},
    };
  }
}

function* batches(): Generator<UsageRecord[]> {
  let batch: UsageRecord[] = [];
  for (const record of ledger()) {
    batch.push(record);
    if (batch.length < BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

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
];

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** Median, and minimum to exclude other load on the machine. Slow queries run fewer rounds. */
async function timed(ask: () => Promise<unknown>): Promise<string> {
  const times: number[] = [];
  const giveUpAt = performance.now() + 15_000;
  for (let round = 0; round < rounds && performance.now() < giveUpAt; round++) {
    const start = performance.now();
    await ask();
    times.push(performance.now() - start);
  }
  return `${median(times).toFixed(1)} (${Math.min(...times).toFixed(1)})`;
}

const folder = mkdtempSync(join(tmpdir(), 'token-meter-bench-'));
/** Unref'd children do not delay the end of the process. */
const alive = setInterval(() => {}, 1000);
const stores: { readonly name: string; readonly reader: UsageReader; close(): Promise<void> }[] =
  [];

async function openSqlite(): Promise<void> {
  const path = join(folder, 'usage.db');
  const file = new LedgerFile({ path, busyTimeoutMs: 1000 });
  const start = performance.now();
  for (const batch of batches()) file.write(batch);
  const seconds = (performance.now() - start) / 1000;
  const summingStart = performance.now();
  while (file.sumUpDay());
  const summing = (performance.now() - summingStart) / 1000;
  file.close();
  const version = new DatabaseSync(':memory:').prepare('SELECT sqlite_version() AS v').get();
  const size = statSync(path).size / 1e6;
  console.log(
    `SQLite ${String(version?.['v'])}: filled in ${seconds.toFixed(1)} s, days summed up in ${summing.toFixed(1)} s, ${size.toFixed(0)} MB`,
  );
  const reader = new SqliteUsageReader({ path });
  stores.push({ name: 'SQLite', reader, close: async () => await reader.close() });
}

async function openInflux(): Promise<void> {
  const server = await startInfluxd({ databases: ['llm_metrics'] });
  const lines = new UsageLineWriter({ maxUserTags: 10_000, maxDimensionTags: 10, onCleaned() {} });
  const start = performance.now();
  for (const batch of batches()) {
    const body = batch.map((record) => String(lines.line(record))).join('\n');
    const response = await fetch(`${server.url}/write?db=llm_metrics`, { method: 'POST', body });
    if (response.status !== 204) throw new Error(await response.text());
  }
  const { headers } = await fetch(`${server.url}/ping`);
  const seconds = (performance.now() - start) / 1000;
  console.log(`InfluxDB ${headers.get('x-influxdb-version')}: filled in ${seconds.toFixed(0)} s`);
  const rollUpStart = performance.now();
  const cpuStart = process.cpuUsage();
  const now = (): number => END;
  const access = { url: server.url, bucket: 'llm_metrics', now };
  const { made } = await rollUpInfluxLedger(access);
  const { user, system } = process.cpuUsage(cpuStart);
  console.log(
    `roll-ups of ${made} hours made in ${((performance.now() - rollUpStart) / 1000).toFixed(1)} s, ` +
      `${((user + system) / count).toFixed(2)} µs of CPU a record in this process`,
  );
  const reader = new InfluxUsageReader({ url: server.url, bucket: 'llm_metrics' });
  stores.push({
    name: 'InfluxDB',
    reader,
    async close() {
      await reader.close();
      await server.stop();
    },
  });
}

const hasInfluxd = process.env['PATH']
  ?.split(':')
  .some((path) => existsSync(join(path, 'influxd')));
console.log(
  `${count} calls of ${users} users in ${DAYS} days; Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? ''}, ` +
    new Date().toISOString().slice(0, 10),
);
try {
  const isAsked = (name: string): boolean => options.only === undefined || options.only === name;
  if (isAsked('sqlite')) await openSqlite();
  if (isAsked('influxdb') && hasInfluxd === true) await openInflux();
  if (isAsked('clickhouse') && hasClickHouse) {
    const generated = { generated: count, users, endMs: END, days: DAYS };
    stores.push(await openClickHouse(options.generated ? generated : { batches: batches() }));
  }
  console.log(
    `\n| query | ${stores.map(({ name }) => `${name} ms (min)`).join(' | ')} | target ms |`,
  );
  console.log(`|---|${stores.map(() => '--:').join('|')}|--:|`);
  for (const [name, query, target] of QUESTIONS) {
    const cells: string[] = [];
    for (const { reader } of stores) {
      cells.push(await timed(async () => await reader.summary(query)));
    }
    console.log(`| ${name} | ${cells.join(' | ')} | ${target ?? ''} |`);
  }
  const pages: string[] = [];
  for (const { reader } of stores) {
    pages.push(await timed(async () => await reader.records({ limit: 100 })));
  }
  console.log(`| newest 100 records | ${pages.join(' | ')} | |`);
} finally {
  for (const store of stores) await store.close();
  rmSync(folder, { recursive: true, force: true });
  clearInterval(alive);
}
