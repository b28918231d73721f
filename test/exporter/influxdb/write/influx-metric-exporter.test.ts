import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ValueType } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AggregationType,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { InfluxMetricExporter } from '../../../../exporter/influxdb/write/influx-metric-exporter.ts';
import { influxRows } from '../../../support/influx.ts';
import { requireServer, startInfluxd, type TestServer } from '../../../support/servers.ts';
import { until } from '../../../support/until.ts';

const SHARED = { instance: 'i-1', service: 'shop' };

function withoutTimeAndNulls(row: Record<string, unknown>): Record<string, unknown> {
  const { time: _, ...rest } = row;
  return Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== null));
}

describe('InfluxMetricExporter with the SDK and InfluxDB 1.x', () => {
  let server: TestServer;
  let exporter: InfluxMetricExporter;
  let provider: MeterProvider;

  before(async function () {
    requireServer(this, 'influxd');
    server = await startInfluxd({ databases: ['metrics'] });
  });
  after(async () => await server?.stop());

  beforeEach(() => {
    exporter = new InfluxMetricExporter({
      url: server.url,
      bucket: 'metrics',
      spool: false,
      maxUserTags: 2,
    });
    provider = new MeterProvider({
      resource: resourceFromAttributes({
        'service.name': 'shop',
        'service.instance.id': 'i-1',
        'process.pid': 4711,
      }),
      readers: [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 600_000 })],
      views: [
        {
          instrumentName: 'exponential.*',
          aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM },
        },
      ],
    });
  });
  afterEach(async () => await provider.shutdown());

  const rows = async (measurement: string): Promise<Record<string, unknown>[]> => {
    const all = await influxRows(server.url, 'metrics', `SELECT * FROM "${measurement}"`);
    return all.map(withoutTimeAndNulls);
  };

  it('writes deltas of counters as integers or floats, by the instrument', async () => {
    const meter = provider.getMeter('test');
    const whole = meter.createCounter('calls.total', { valueType: ValueType.INT });
    const broken = meter.createCounter('cost.total');
    whole.add(2, { 'gen_ai.request.model': 'm, =x' });
    broken.add(3, { 'gen_ai.request.model': 'm' });
    await provider.forceFlush();
    whole.add(5, { 'gen_ai.request.model': 'm, =x' });
    await provider.forceFlush();
    assert.deepEqual(await rows('calls_total'), [
      { ...SHARED, model: 'm, =x', value: 2 },
      { ...SHARED, model: 'm, =x', value: 5 },
    ]);
    const fields = await influxRows(server.url, 'metrics', 'SHOW FIELD KEYS');
    assert.deepEqual(
      fields.map(({ fieldKey, fieldType }) => [fieldKey, fieldType]),
      [
        ['value', 'integer'],
        ['value', 'float'],
      ],
    );
    assert.equal(exporter.status().delivered, 3);
  });

  it('tells where up-down counters stand, not how they moved', async () => {
    const counter = provider.getMeter('test').createUpDownCounter('in.flight');
    for (const change of [3, -1, 4]) {
      counter.add(change);
      await provider.forceFlush();
    }
    assert.deepEqual(
      (await rows('in_flight')).map(({ value }) => value),
      [3, 2, 6],
    );
  });

  it('writes histograms with cumulative buckets, exponential ones with percentiles', async () => {
    const meter = provider.getMeter('test');
    const plain = meter.createHistogram('plain.duration', {
      advice: { explicitBucketBoundaries: [0.1, 1, 10] },
    });
    const exponential = meter.createHistogram('exponential.duration');
    for (let i = 1; i <= 100; i++) {
      plain.record(i / 50);
      exponential.record(i);
    }
    await provider.forceFlush();
    const [row] = await rows('plain_duration');
    assert.deepEqual(
      { ...row, sum: Math.round(Number(row?.['sum'])) },
      { ...SHARED, count: 100, sum: 101, min: 0.02, max: 2, 'le_0.1': 5, le_1: 50, le_10: 100 },
    );
    const [other] = await rows('exponential_duration');
    assert.deepEqual([other?.['count'], other?.['min'], other?.['max']], [100, 1, 100]);
    for (const [name, expected] of [
      ['p50', 50],
      ['p95', 95],
      ['p99', 99],
    ] as const) {
      const value = Number(other?.[name]);
      assert.ok(Math.abs(value / expected - 1) < 0.05, `${name} ${value}`);
    }
  });

  it('adds up series that are equal as text, and users beyond the cap', async () => {
    const counter = provider.getMeter('test').createCounter('merged');
    counter.add(1, { port: 1 });
    counter.add(2, { port: '1' });
    for (const user of ['a', 'b', 'c', 'd']) counter.add(10, { 'user.id': user });
    await provider.forceFlush();
    assert.deepEqual(
      (await rows('merged'))
        .map(({ port, user_id, value }) => `${String(port ?? user_id)} ${String(value)}`)
        .toSorted(),
      ['(other) 20', '1 3', 'a 10', 'b 10'],
    );
  });
});

describe('InfluxMetricExporter on a disk that takes nothing', () => {
  it('reports failure for lines that are in memory only, and success once the disk is back', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'token-meter-metrics-'));
    // A file where the folder of the spool should be.
    const blocked = join(folder, 'blocked');
    writeFileSync(blocked, '');
    const exporter = new InfluxMetricExporter({
      url: 'http://127.0.0.1:1',
      bucket: 'metrics',
      version: '1',
      spool: { directory: join(blocked, 'spool') },
    });
    const reader = new PeriodicExportingMetricReader({
      exporter,
      exportIntervalMillis: 600_000,
    });
    const provider = new MeterProvider({ readers: [reader] });
    const counter = provider.getMeter('test').createCounter('calls');
    const exported = async (): Promise<number> => {
      counter.add(1);
      const { resourceMetrics } = await reader.collect();
      return await new Promise((resolve) => {
        exporter.export(resourceMetrics, ({ code }) => resolve(code));
      });
    };
    try {
      assert.equal(await exported(), 1);
      assert.equal(exporter.status().volatile, 1);
      assert.equal(exporter.status().accepted, 0);
      assert.equal(exporter.status().state, 'failing');
      assert.equal(await exported(), 1, 'as long as the disk takes nothing');
      rmSync(blocked);
      await until(() => exporter.status().volatile === undefined, 10_000);
      assert.equal(exporter.status().accepted, 2);
      assert.equal(await exported(), 0);
    } finally {
      await provider.shutdown();
      rmSync(folder, { recursive: true });
    }
  });
});
