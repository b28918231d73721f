import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { InfluxUsageProcessor } from '../../exporter/influxdb/write/influx-usage-processor.ts';
import type { InfluxOptions } from '../../exporter/influxdb/influx-options.ts';
import { FaultProxy, type Fault } from '../support/fault-proxy.ts';
import { ForwardProxy } from '../support/forward-proxy.ts';
import { influxRows } from '../support/influx.ts';
import { runExporterApp, type RunningExporterApp } from '../support/run-exporter-app.ts';
import { requireServer, startInfluxd, type TestServer } from '../support/servers.ts';
import { until } from '../support/until.ts';

/** `TOKEN_METER_SOAK_MINUTES=30` is the full soak. */
const MINUTES = Number(process.env['TOKEN_METER_SOAK_MINUTES'] ?? 1);
const SEED = Number(process.env['TOKEN_METER_SOAK_SEED'] ?? 15);
const RECORDS_PER_SECOND = 500;
const RECORDS_A_RUN = 10_000_000;
const FROM = Date.parse('2026-11-01T10:00:00Z');
const MAX_SPOOL_BYTES = 48_000_000;
const DISK_BYTES = 64_000_000;
const MAX_RSS_GROWTH = 96 * 2 ** 20;

/** Mulberry32: the same faults for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Run {
  readonly from: number;
  readonly app: RunningExporterApp;
}

describe(`a soak of ${MINUTES} min at ${RECORDS_PER_SECOND} records/s (seed ${SEED})`, () => {
  const random = randomOf(SEED);
  const pick = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)] as T;
  let influxd: TestServer;
  let gateway: FaultProxy;
  let proxy: ForwardProxy;
  let parent: string;
  let directory: string;
  let isMounted = false;
  let options: InfluxOptions;
  const runs: Run[] = [];
  const log: string[] = [];

  before(async function () {
    requireServer(this, 'influxd');
    influxd = await startInfluxd({ databases: ['usage'] });
    gateway = await FaultProxy.start(influxd.url);
    proxy = await ForwardProxy.start();
    parent = mkdtempSync(join(tmpdir(), 'token-meter-soak-'));
    directory = join(parent, 'spool');
    mkdirSync(directory);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', directory], {
        stdio: 'ignore',
      });
      isMounted = true;
    } catch {
      log.push('no mount: the disk is never full');
    }
    options = {
      url: gateway.url,
      bucket: 'usage',
      version: '1',
      proxyUrl: proxy.url,
      timeoutMs: 2000,
      spool: { directory, maxBytes: MAX_SPOOL_BYTES },
    };
  });
  after(async () => {
    for (const { app } of runs) app.process.kill('SIGKILL');
    if (isMounted) execFileSync('umount', ['-l', directory]);
    await gateway?.stop();
    await proxy?.stop();
    await influxd?.stop();
    if (parent !== undefined) rmSync(parent, { recursive: true, force: true });
  });

  const start = (): Run => {
    const from = FROM + runs.length * RECORDS_A_RUN;
    const app = runExporterApp({
      options,
      from,
      count: RECORDS_A_RUN,
      perSecond: RECORDS_PER_SECOND,
      end: 'stay',
    });
    const run = { from, app };
    runs.push(run);
    return run;
  };
  const spoolBytes = (): number =>
    readdirSync(directory, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.includes('.lines') && !name.includes('dead-letters'))
      .reduce((sum, name) => {
        const stats = statSync(join(directory, name), { throwIfNoEntry: false });
        return sum + (stats?.blocks ?? 0) * 512;
      }, 0);
  const answering =
    (fault: Fault) =>
    async (ms: number): Promise<void> => {
      gateway.fault = () => (random() < 0.8 ? fault : 'pass');
      await sleep(ms);
      gateway.fault = () => 'pass';
    };
  const filler = (): string => join(directory, 'filler');
  let current: Run;
  const faults: Readonly<Record<string, (ms: number) => Promise<void>>> = {
    'server killed': async (ms) => {
      await influxd.kill('SIGKILL');
      await sleep(ms);
      await influxd.restart();
    },
    'server stopped': async (ms) => {
      influxd.process.kill('SIGSTOP');
      await sleep(ms);
      influxd.process.kill('SIGCONT');
    },
    slow: answering('slow'),
    hanging: answering('hang'),
    reset: answering('reset'),
    'answers lost': answering('lostAnswer'),
    'refusing 503': answering({ status: 503, headers: { 'retry-after': '1' } }),
    'refusing 500': answering({ status: 500 }),
    'refusing 403': answering({ status: 403 }),
    'refusing 429': answering({ status: 429 }),
    'refusing 413': answering({ status: 413 }),
    'proxy broken': async (ms) => {
      proxy.isBroken = true;
      await sleep(ms);
      proxy.isBroken = false;
    },
    'disk full': async (ms) => {
      if (!isMounted) return;
      try {
        for (let i = 0; ; i++) writeFileSync(filler() + i, Buffer.alloc(4_000_000));
      } catch {
        // As full as it gets in steps of 4 MB; the last step is partly written.
      }
      await sleep(ms);
      for (const name of readdirSync(directory)) {
        if (name.startsWith('filler')) rmSync(join(directory, name));
      }
    },
    'application killed': async () => {
      current.app.process.kill('SIGKILL');
      await current.app.ended();
      current = start();
      await until(() => (current.app.status?.emitted ?? 0) > 0, 60_000);
    },
    'application restarted': async () => {
      current.app.process.kill('SIGTERM');
      await current.app.ended();
      current = start();
      await until(() => (current.app.status?.emitted ?? 0) > 0, 60_000);
    },
  };

  it('ends with equal sums, within its bounds of memory and disk', async () => {
    current = start();
    await until(() => (current.app.status?.delivered ?? 0) > 0, 60_000);
    const firstRss = current.app.status?.rss ?? 0;
    let maxDisk = 0;
    const watch = setInterval(() => (maxDisk = Math.max(maxDisk, spoolBytes())), 500);
    const end = performance.now() + MINUTES * 60_000;
    const names = Object.keys(faults);
    // Each fault once, then at random.
    const waiting = [...names];
    while (performance.now() < end) {
      const name = waiting.shift() ?? pick(names);
      log.push(name);
      await faults[name]?.(1000 + random() * Math.min(20_000, MINUTES * 4000));
      await sleep(500 + random() * 3000);
    }
    current.app.process.kill('SIGTERM');
    await current.app.ended();
    const next = new InfluxUsageProcessor(options);
    let quietSince = performance.now();
    let last = -1;
    await until(async () => {
      await next.forceFlush();
      const { adopted = 0, pending = 0, delivered } = next.status();
      if (pending > 0 || delivered !== last) quietSince = performance.now();
      last = delivered;
      return adopted >= 0 && performance.now() - quietSince > 3000;
    }, 120_000);
    await next.shutdown();
    clearInterval(watch);
    const drops = [...runs.map(({ app }) => app.status?.dropped ?? {}), next.status().dropped];
    const rows = await influxRows(
      influxd.url,
      'usage',
      'SELECT count("calls") AS calls, sum("input_tokens") AS tokens FROM llm_usage',
    );
    const [sums] = rows as { calls: number; tokens: number }[];
    const storedCalls = sums?.calls ?? 0;
    const tokens = sums?.tokens ?? 0;
    let [emitted, accepted] = [0, 0];
    const report = `${log.join(', ')}; dropped ${JSON.stringify(drops)}`;
    for (const [n, { from, app }] of runs.entries()) {
      const { status } = app;
      if (status === undefined) continue;
      const where = `time >= ${from}ms AND time < ${from + status.accepted}ms`;
      const q = `SELECT count("calls") AS calls FROM llm_usage WHERE ${where}`;
      const [row] = (await influxRows(influxd.url, 'usage', q)) as { calls: number }[];
      // What is accepted comes first; while the disk is full, lines may overtake others in memory.
      if (status.volatile === 0) {
        assert.equal(
          row?.calls ?? 0,
          status.accepted,
          `run ${n} lacks accepted records: ${report}`,
        );
      }
      emitted += status.emitted;
      accepted += status.accepted;
    }
    const rss = Math.max(...runs.map(({ app }) => app.maxRss));
    console.log(
      `      ${runs.length} runs, ${emitted} emitted, ${accepted} accepted, ${storedCalls} stored; ` +
        `spool at most ${(maxDisk / 1e6).toFixed(1)} MB, resident set at most ${((rss - firstRss) / 2 ** 20).toFixed(0)} MB above the start\n` +
        `      ${log.join(', ')}`,
    );
    assert.deepEqual(
      drops.filter((dropped) => Object.keys(dropped).length > 0),
      [],
    );
    assert.ok(storedCalls >= accepted, `${storedCalls} stored of ${accepted} accepted`);
    assert.equal(tokens, storedCalls * 10, 'a record is stored with wrong numbers');
    assert.ok(maxDisk <= MAX_SPOOL_BYTES * 1.05, `${maxDisk} bytes on disk`);
    assert.ok(rss - firstRss < MAX_RSS_GROWTH, `${rss - firstRss} bytes more`);
  }).timeout((MINUTES + 6) * 60_000);
});
