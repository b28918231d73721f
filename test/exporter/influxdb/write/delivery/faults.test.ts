import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { InfluxOptions } from '../../../../../exporter/influxdb/influx-options.ts';
import { InfluxUsageProcessor } from '../../../../../exporter/influxdb/write/influx-usage-processor.ts';
import { FaultProxy } from '../../../../support/fault-proxy.ts';
import { requireServer, type TestServer } from '../../../../support/servers.ts';
import { until } from '../../../../support/until.ts';
import { logOf, usageRecord } from '../../../../support/usage-logs.ts';
import { WRITE_TARGETS } from '../../../../support/write-targets.ts';

for (const target of WRITE_TARGETS) {
  describe(`faults between the exporter and ${target.binary}`, () => {
    let server: TestServer;
    let proxy: FaultProxy;
    let directory: string;
    let processor: InfluxUsageProcessor;
    let t = Date.parse('2026-11-01T10:00:00Z');

    before(async function () {
      requireServer(this, target.binary);
      server = await target.start();
    });
    after(async () => await server?.stop());
    beforeEach(async () => {
      proxy = await FaultProxy.start(server.url);
      directory = mkdtempSync(join(tmpdir(), 'token-meter-faults-'));
    });
    afterEach(async () => {
      await processor.shutdown();
      await proxy.stop();
      rmSync(directory, { recursive: true, force: true });
    });

    const start = (over: Partial<InfluxOptions> = {}): void => {
      processor = new InfluxUsageProcessor({
        rollUps: false,
        url: proxy.url,
        bucket: 'usage',
        spool: { directory },
        timeoutMs: 500,
        ...over,
      });
    };
    const expected: number[] = [];
    /** Emits records a millisecond apart. */
    const emit = (count: number): void => {
      for (let i = 0; i < count; i++) {
        t++;
        expected.push(t);
        processor.onEmit(logOf(usageRecord(t, { inputTokens: 10, outputTokens: i })));
      }
    };
    /** Every record so far is in the store, and nothing was dropped. */
    const allThere = async (count: number): Promise<void> => {
      await until(() => processor.status().delivered === count, 10_000);
      const { accepted, dropped, pending } = processor.status();
      assert.deepEqual([accepted, dropped, pending], [count, {}, 0]);
      // VictoriaMetrics shows what was written with a delay.
      await until(async () => (await target.times(server.url)).length >= expected.length, 15_000);
      assert.deepEqual(await target.times(server.url), expected);
    };

    it('loses nothing when the connection hangs, and closes its sockets', async () => {
      let hung = 0;
      proxy.fault = () => (hung++ < 2 ? 'hang' : 'pass');
      start();
      emit(500);
      await allThere(500);
      assert.ok(hung >= 3);
      assert.ok(proxy.sockets.size <= 3, `${proxy.sockets.size} sockets`);
    });

    it('loses nothing when the connection is reset in the middle of a body', async () => {
      let resets = 0;
      proxy.fault = () => (resets++ < 2 ? 'reset' : 'pass');
      start();
      emit(3000);
      await allThere(3000);
    });

    it('stores records once although the answer was lost', async () => {
      let lost = 0;
      proxy.fault = () => (lost++ < 2 ? 'lostAnswer' : 'pass');
      start();
      emit(300);
      await allThere(300);
    });

    it('waits as long as Retry-After asks for, in seconds and as a date', async () => {
      // Dates have whole seconds.
      const date = new Date(Date.now() + 3500);
      date.setUTCMilliseconds(0);
      const answers = [
        { status: 429, headers: { 'retry-after': '1' } },
        { status: 503, headers: { 'retry-after': date.toUTCString() } },
      ];
      proxy.fault = () => answers.shift() ?? 'pass';
      start();
      emit(50);
      await allThere(50);
      const [first = 0, second = 0, third = 0] = proxy.writes;
      assert.ok(second - first >= 990, `${second - first} ms`);
      // The clocks of the system and of the process may differ by a few milliseconds.
      const early = date.getTime() - (performance.timeOrigin + third);
      assert.ok(early < 10, `${early} ms early`);
      assert.equal(proxy.writes.length, 3);
      assert.equal(processor.status().retries, 2);
    });

    it('halves what is too large for the server', async () => {
      proxy.fault = (bytes) => (bytes > 50_000 ? { status: 413 } : 'pass');
      start();
      emit(2000);
      await allThere(2000);
    });

    it('keeps everything through 401, 403 and 404', async () => {
      const answers = [401, 403, 404, 302].map((status) => ({
        status,
        headers: { location: '/' },
      }));
      proxy.fault = () => answers.shift() ?? 'pass';
      start();
      emit(50);
      await until(() => processor.status().state === 'failing');
      // A flush does not wait for the end of a pause.
      for (let i = 0; i < 5; i++) await processor.forceFlush();
      await allThere(50);
    });

    it('is not misled by a clock that is set back', async () => {
      start();
      emit(60);
      await until(() => processor.status().delivered === 60);
      const { now } = Date;
      Date.now = () => now() - 3_600_000;
      try {
        // Another exporter shares the folder and may not take this one for dead.
        const other = new InfluxUsageProcessor({
          rollUps: false,
          url: proxy.url,
          bucket: 'usage',
          spool: { directory },
        });
        emit(60);
        await other.forceFlush();
        await allThere(120);
        assert.equal(other.status().adopted, 0);
        await other.shutdown();
      } finally {
        Date.now = now;
      }
    });

    it('loses nothing when the server is killed and started again', async () => {
      start();
      emit(200);
      await until(() => processor.status().delivered === 200);
      await server.kill(target.hardestEnd);
      emit(300);
      await until(() => processor.status().retries > 0);
      await server.restart();
      await allThere(500);
    });
  });
}
