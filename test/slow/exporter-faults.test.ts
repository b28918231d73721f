import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type InfluxOptions,
  resolveInfluxOptions,
} from '../../exporter/influxdb/influx-options.ts';
import { LineExporter } from '../../exporter/influxdb/write/line-exporter.ts';
import { spoolBacklogs } from '../../exporter/spool/backlog.ts';
import { realFs, type SpoolFs } from '../../exporter/spool/spool-fs.ts';
import { InfluxUsageProcessor } from '../../exporter/influxdb/write/influx-usage-processor.ts';
import type { AppPlan } from '../support/exporter-app.ts';
import { lineOf } from '../support/line-of.ts';
import { runExporterApp } from '../support/run-exporter-app.ts';
import { requireServer, type TestServer } from '../support/servers.ts';
import { until } from '../support/until.ts';
import { logOf, usageRecord } from '../support/usage-logs.ts';
import { WRITE_TARGETS } from '../support/write-targets.ts';

const FROM = Date.parse('2026-11-01T10:00:00Z');
/** What the exporter may add to a process, whatever happens: intake, two batches, a segment, the heap's slack. */
const MAX_RSS_GROWTH = 64 * 2 ** 20;

for (const target of WRITE_TARGETS) {
  describe(`long faults between application and ${target.binary}`, () => {
    let server: TestServer;
    let directory: string;
    let options: InfluxOptions;

    before(function () {
      requireServer(this, target.binary);
    });
    beforeEach(async () => {
      server = await target.start();
      directory = mkdtempSync(join(tmpdir(), 'token-meter-slow-'));
      options = { url: server.url, bucket: 'usage', spool: { directory }, timeoutMs: 2000 };
    });
    afterEach(async () => {
      await server.stop();
      rmSync(directory, { recursive: true, force: true });
    });

    const plan = (over: Partial<AppPlan>): AppPlan => ({
      options,
      from: FROM,
      count: 1000,
      end: 'shutdown',
      ...over,
    });
    /** Offsets in milliseconds from FROM of everything in the store, once it shows as much as that. */
    const stored = async (atLeast: number): Promise<number[]> => {
      const giveUpAt = performance.now() + 30_000;
      for (;;) {
        const times = await target.times(server.url);
        if (times.length >= atLeast || performance.now() > giveUpAt) {
          return times.map((time) => time - FROM);
        }
        // VictoriaMetrics shows what was written with a delay, longer when it is asked too soon.
        await sleep(1000);
      }
    };
    const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
    /** The next start delivers what is left. */
    const deliverRest = async (): Promise<void> => {
      const next = new InfluxUsageProcessor(options);
      await until(async () => {
        await next.forceFlush();
        return (await spoolBacklogs(directory)).length === 0;
      }, 60_000);
      await next.shutdown();
    };

    it('loses nothing in an outage of 60 s at 1000 records/s, in bounded memory', async () => {
      const app = runExporterApp(plan({ count: 70_000, perSecond: 1000, end: 'stay' }));
      await until(() => (app.status?.delivered ?? 0) > 2000, 20_000);
      const before = app.maxRss;
      await server.kill(target.hardestEnd);
      await sleep(60_000);
      assert.ok((app.status?.accepted ?? 0) > 50_000);
      await server.restart();
      await until(() => app.status?.delivered === 70_000, 90_000);
      assert.deepEqual(app.status?.dropped, {});
      const growth = app.maxRss - before;
      assert.ok(growth < MAX_RSS_GROWTH, `${(growth / 2 ** 20).toFixed(0)} MB more`);
      app.process.kill('SIGTERM');
      await app.ended();
      assert.deepEqual(await stored(70_000), upTo(70_000));
    });

    it('loses no accepted record in 20 kills of the application at random moments', async () => {
      let from = 0;
      const accepted = new Set<number>();
      for (let round = 0; round < 20; round++) {
        const app = runExporterApp(
          plan({ from: FROM + from, count: 100_000, perSecond: 5000, end: 'stay' }),
        );
        await until(() => (app.status?.accepted ?? 0) > 0, 20_000);
        await sleep(Math.random() * 400);
        app.process.kill('SIGKILL');
        await app.ended();
        for (let i = 0; i < (app.status?.accepted ?? 0); i++) accepted.add(from + i);
        from += 100_000;
      }
      assert.ok(accepted.size > 10_000, `${accepted.size} accepted`);
      await deliverRest();
      const times = await stored(accepted.size);
      // A resend overwrites itself.
      assert.equal(new Set(times).size, times.length, 'stored twice');
      for (const time of times) accepted.delete(time);
      assert.equal(accepted.size, 0, 'accepted and missing');
    });

    it('shares its folder between processes that are killed and ones that go on', async () => {
      await server.kill();
      const apps = [0, 1, 2].map((i) =>
        runExporterApp(plan({ from: FROM + i * 5000, count: 5000, perSecond: 2500, end: 'stay' })),
      );
      await until(() => apps.every(({ status }) => status?.accepted === 5000), 60_000);
      for (const [i, app] of apps.entries()) app.process.kill(i === 0 ? 'SIGKILL' : 'SIGTERM');
      await Promise.all(apps.map((app) => app.ended()));
      await server.restart();
      await deliverRest();
      assert.deepEqual(await stored(15_000), upTo(15_000));
    });

    it('keeps records in memory while the disk is full, and counts what finds no room', async function () {
      const small = join(directory, 'small');
      mkdirSync(small);
      try {
        execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', small], {
          stdio: 'ignore',
        });
      } catch {
        this.skip();
      }
      try {
        await server.kill();
        const processor = new InfluxUsageProcessor({
          ...options,
          spool: { directory: small, maxBytes: 2 ** 30 },
        });
        const total = 120_000;
        for (let i = 0; i < total; i++) {
          processor.onEmit(logOf(usageRecord(FROM + i, { inputTokens: i })));
          if (i % 500 === 0) await sleep(1);
        }
        await processor.forceFlush();
        const { state, accepted, volatile = 0, dropped, lastError } = processor.status();
        assert.equal(state, 'failing');
        assert.match(lastError?.message ?? '', /ENOSPC|takes no more bytes/);
        const { memory_full: full = 0, ...others } = dropped;
        assert.deepEqual(others, {});
        assert.ok(full > 0 && full < total / 2, `${full} dropped`);
        assert.equal(accepted + volatile + full, total);
        assert.ok(volatile > 0);
        await server.restart();
        await until(() => processor.status().pending === 0, 60_000);
        assert.equal((await stored(total - full)).length, total - full);
        await processor.shutdown();
      } finally {
        execFileSync('umount', ['-l', small]);
      }
    });

    it('does not hold up the event loop while the disk stalls for 10 s', async () => {
      let stalled: Promise<void> = Promise.resolve();
      const stalling: SpoolFs = {
        ...realFs,
        open: async (...args) => {
          const handle = await realFs.open(...args);
          const write = handle.writev.bind(handle);
          return Object.assign(handle, {
            writev: async (...bytes: Parameters<typeof write>) => {
              await stalled;
              return await write(...bytes);
            },
          });
        },
      };
      const resolved = resolveInfluxOptions('test', options);
      const exporter = new LineExporter('test', resolved, { fs: stalling });
      let time = 0;
      /** Longest and typical lateness of a turn of the loop, at 1000 lines/s. */
      const delays = async (ms: number): Promise<{ p99: number }> => {
        const histogram = monitorEventLoopDelay({ resolution: 5 });
        histogram.enable();
        const end = performance.now() + ms;
        while (performance.now() < end) {
          for (let i = 0; i < 5; i++)
            exporter.write(lineOf(`llm_usage calls=1i ${(FROM + time++) * 1e6}`));
          await sleep(5);
        }
        histogram.disable();
        return { p99: histogram.percentile(99) / 1e6 };
      };
      await delays(1000);
      /** How much later turns are, in milliseconds, while the disk stalls than before. */
      const heldUp = async (): Promise<number> => {
        const before = await delays(5000);
        await exporter.flushIntake();
        stalled = sleep(10_000);
        const during = await delays(9500);
        assert.equal(exporter.status().state, 'failing', 'the disk did not stall');
        await stalled;
        return during.p99 - before.p99;
      };
      // What else the machine does comes and goes; a loop that waits for a disk does so every time.
      const late: number[] = [];
      do late.push(await heldUp());
      while ((late.at(-1) ?? 0) > 10 && late.length < 4);
      assert.ok(Math.min(...late) <= 10, `${late.join(', ')} ms`);
      await until(() => exporter.status().delivered === time, 20_000);
      assert.deepEqual(exporter.status().dropped, {});
      assert.equal((await stored(time)).length, time);
      await exporter.shutdown();
    });
  });
}
