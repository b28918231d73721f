import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { diag, DiagLogLevel } from '@opentelemetry/api';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type InfluxOptions,
  resolveInfluxOptions,
} from '../../../../exporter/influxdb/influx-options.ts';
import { InfluxUsageProcessor } from '../../../../exporter/influxdb/write/influx-usage-processor.ts';
import { rollUpInfluxLedger } from '../../../../exporter/influxdb/rollup/influx-roll-up.ts';
import { LedgerClients } from '../../../../exporter/influxdb/rollup/ledger-clients.ts';
import { RollUpLease } from '../../../../exporter/influxdb/rollup/lease.ts';
import { RollUpUpkeep } from '../../../../exporter/influxdb/rollup/roll-up-upkeep.ts';
import { RollUpWriter } from '../../../../exporter/influxdb/rollup/roll-up-writer.ts';
import { influxExecute, influxRows } from '../../../support/influx.ts';
import { requireServer, startInfluxd, type TestServer } from '../../../support/servers.ts';
import { logOf, usageRecord } from '../../../support/usage-logs.ts';

const HOUR_MS = 3_600_000;

describe('roll-ups while the application runs', () => {
  let server: TestServer;
  let bucket = '';
  let count = 0;

  before(async function () {
    requireServer(this, 'influxd');
    server = await startInfluxd({ databases: [] });
  });
  after(async () => await server?.stop());
  beforeEach(async () => {
    bucket = `upkeep_${++count}`;
    await influxExecute(server.url, `CREATE DATABASE ${bucket}`);
  });

  const rows = async (q: string): Promise<Record<string, unknown>[]> =>
    await influxRows(server.url, bucket, q);

  async function until(holds: () => Promise<boolean>): Promise<void> {
    const end = performance.now() + 30_000;
    while (!(await holds())) {
      assert.ok(performance.now() < end, 'it took too long');
      await sleep(50);
    }
  }

  it('are made of closed hours, and again after late calls, by one of two processes', async () => {
    const base = { url: server.url, bucket };
    const processor = new InfluxUsageProcessor({ ...base, spool: false });
    // Three hours ago: the exporter marks it as late.
    const start = Math.floor(Date.now() / HOUR_MS) * HOUR_MS - 3 * HOUR_MS;
    processor.onEmit(logOf(usageRecord(start + 1000)));
    await processor.forceFlush();
    const [mark] = await rows('SELECT count(at) FROM llm_usage_rollup_marks');
    assert.equal(mark?.['count'], 1);
    const target = resolveInfluxOptions('test', { ...base, spool: false });
    // Its marks have settled half an hour later.
    let ahead = HOUR_MS / 2;
    const now = (): number => Date.now() + ahead;
    const upkeeps = [1, 2].map(() => new RollUpUpkeep(target, { now, firstMs: 1, intervalMs: 50 }));
    try {
      const stored = async (): Promise<unknown> =>
        (await rows(`SELECT calls, marks FROM llm_usage_rollup_hours WHERE time = ${start}ms`))[0];
      await until(async () => (await stored()) !== undefined);
      assert.deepEqual(await stored(), { time: `${start}000000`, calls: 1, marks: 1 });
      processor.onEmit(logOf(usageRecord(start + 2000)));
      await processor.forceFlush();
      ahead += HOUR_MS / 2;
      await until(async () => ((await stored()) as { calls: number }).calls === 2);
    } finally {
      await Promise.all(upkeeps.map(async (upkeep) => await upkeep.stop()));
      await processor.shutdown();
    }
  });

  it('are made again of earlier hours whose units they lack', async () => {
    const base = { url: server.url, bucket };
    const processor = new InfluxUsageProcessor({ ...base, spool: false });
    // Longer ago than a round reaches.
    const start = Math.floor(Date.now() / HOUR_MS) * HOUR_MS - 30 * 24 * HOUR_MS;
    const attributes = { 'token_meter.usage.generated_images': 2 };
    processor.onEmit(logOf(usageRecord(start + 1000, { attributes })));
    processor.onEmit(logOf(usageRecord(start + HOUR_MS)));
    await processor.shutdown();
    const now = (): number => Date.now() + HOUR_MS;
    await rollUpInfluxLedger({ ...base, now });
    const versions = async (): Promise<unknown[]> => {
      const range = `time >= ${start}ms AND time <= ${start + HOUR_MS}ms`;
      const hours = await rows(`SELECT version FROM llm_usage_rollup_hours WHERE ${range}`);
      return hours.map(({ version }) => version);
    };
    assert.deepEqual(await versions(), [2, 2]);
    const early = [start, start + HOUR_MS]
      .map((hour) => `llm_usage_rollup_hours version=1i ${hour}000000`)
      .join('\n');
    const url = `${server.url}/write?db=${bucket}`;
    assert.equal((await fetch(url, { method: 'POST', body: early })).status, 204);
    const target = resolveInfluxOptions('test', { ...base, spool: false });
    const upkeep = new RollUpUpkeep(target, { now, firstMs: 1, intervalMs: 50 });
    try {
      // The other hour is right as it is.
      await until(async () => isDeepStrictEqual(await versions(), [2, 1]));
    } finally {
      await upkeep.stop();
    }
  });

  describe('in a bucket of their own', () => {
    const start = Math.floor(Date.now() / HOUR_MS) * HOUR_MS - 30 * 24 * HOUR_MS;
    const now = (): number => Date.now() + HOUR_MS;
    const optionsOf = (): InfluxOptions => ({
      url: server.url,
      bucket,
      rollUpBucket: `${bucket}/sums`,
      spool: false,
    });
    const makePolicy = async (): Promise<void> =>
      await influxExecute(
        server.url,
        `CREATE RETENTION POLICY sums ON ${bucket} DURATION INF REPLICATION 1`,
      );
    const summedUp = async (): Promise<unknown[]> =>
      await rows(`SELECT calls FROM ${bucket}.sums.llm_usage_rollup_hours WHERE time = ${start}ms`);

    it('are made of all calls after a start, and of days without any', async () => {
      await makePolicy();
      const processor = new InfluxUsageProcessor(optionsOf());
      processor.onEmit(logOf(usageRecord(start + 1000)));
      await processor.shutdown();
      const upkeep = new RollUpUpkeep(resolveInfluxOptions('test', optionsOf()), {
        now,
        firstMs: 1,
        intervalMs: 50,
      });
      try {
        await until(async () => (await summedUp()).length === 1);
        await until(async () => {
          const days = `${bucket}.sums.llm_usage_rollup_days`;
          return (await rows(`SELECT calls FROM ${days}`)).length >= 29;
        });
      } finally {
        await upkeep.stop();
      }
    });

    it('are made once the bucket is there; until then a warning names what makes it', async () => {
      const processor = new InfluxUsageProcessor(optionsOf());
      processor.onEmit(logOf(usageRecord(start + 1000)));
      await processor.forceFlush();
      // Its mark has no place yet, and without it sums of other processes would stay as they are.
      assert.equal(processor.status().delivered, 0);
      const warnings: string[] = [];
      diag.setLogger(
        { error() {}, warn: (text) => warnings.push(text), info() {}, debug() {}, verbose() {} },
        { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
      );
      const upkeep = new RollUpUpkeep(resolveInfluxOptions('test', optionsOf()), {
        now,
        firstMs: 1,
        intervalMs: 50,
      });
      try {
        const own = (): string[] =>
          warnings.filter((text) => text.includes('no roll-ups are made'));
        await until(async () => await Promise.resolve(own().length > 0));
        assert.match(own()[0] ?? '', /sums.*`otel-token-meter setup influxdb` makes the bucket/);
        await sleep(300);
        assert.equal(own().length, 1);
        await makePolicy();
        await until(async () => {
          await processor.forceFlush();
          return processor.status().delivered === 1;
        });
        await until(async () => (await summedUp()).length === 1);
      } finally {
        diag.disable();
        await upkeep.stop();
        await processor.shutdown();
      }
    });
  });

  it('have one maker at a time, and another one when it is gone', async () => {
    const target = resolveInfluxOptions('test', { url: server.url, bucket, spool: false });
    let time = Date.now();
    const processes = [1, 2, 3].map(() => {
      const client = new LedgerClients(target);
      const writer = new RollUpWriter(client.place);
      const lease = new RollUpLease(client, writer, () => time, { claimMs: 100 });
      return { client, writer, lease };
    });
    try {
      const leases = processes.map(({ lease }) => lease);
      const first = await Promise.all(leases.map(async (lease) => await lease.hold()));
      assert.equal(first.filter((holds) => holds).length, 1, String(first));
      time += 60_000;
      const second = await Promise.all(leases.map(async (lease) => await lease.hold()));
      assert.deepEqual(second, first);
      await leases[first.indexOf(true)]?.release();
      time += 1;
      const others = leases.filter((_, index) => !first[index]);
      const third = await Promise.all(others.map(async (lease) => await lease.hold()));
      assert.equal(third.filter((holds) => holds).length, 1, String(third));
      time += HOUR_MS;
      const [holder, other] = third[0] === true ? others : others.toReversed();
      assert.equal(await other?.hold(), true);
      assert.equal(await holder?.hold(), false);
    } finally {
      for (const { client, writer } of processes) {
        client.close();
        writer.close();
      }
    }
  });
});
