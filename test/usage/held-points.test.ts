import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { createNoopMeter, type Meter } from '@opentelemetry/api';
import * as sdk3 from '@opentelemetry/sdk-metrics';
import { HeldPoints } from '../../src/usage/emit/held-points.ts';

/** The metrics SDK of major 2 comes with the old OTLP transformer. */
const requireOld = createRequire(
  createRequire(import.meta.url).resolve('otlp-definitions/package.json'),
);
const SDKS: readonly (readonly [name: string, sdk: typeof sdk3])[] = [
  ['SDK 3', sdk3],
  ['SDK 2', requireOld('@opentelemetry/sdk-metrics') as typeof sdk3],
];

const ALIKE = { model: 'a' };
const OTHER = { model: 'b' };

interface Point {
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly startTime: readonly [number, number];
  readonly value: number | { readonly count: number; readonly sum?: number };
}

for (const [name, sdk] of SDKS) {
  describe(`held points, ${name}`, () => {
    class PulledReader extends sdk.MetricReader {
      protected override onForceFlush(): Promise<void> {
        return Promise.resolve();
      }
      protected override onShutdown(): Promise<void> {
        return Promise.resolve();
      }
      async points(of: string): Promise<readonly Point[]> {
        const { resourceMetrics } = await this.collect();
        const all = resourceMetrics.scopeMetrics.flatMap(({ metrics }) => metrics);
        const names = all.map(({ descriptor }) => descriptor.name);
        assert.ok(!names.includes('token_meter.held_points'), 'an instrument without values shows');
        const found = all.find(({ descriptor }) => descriptor.name === of);
        return (found?.dataPoints ?? []) as unknown as readonly Point[];
      }
    }

    function deltaReader(): PulledReader {
      return new PulledReader({
        aggregationTemporalitySelector: () => sdk.AggregationTemporality.DELTA,
      });
    }

    function on(meter: Meter) {
      const held = new HeldPoints(meter);
      return {
        add: held.counter(meter.createCounter('cost')),
        record: held.histogram(meter.createHistogram('tokens')),
      };
    }

    function values(points: readonly Point[]): readonly (readonly [unknown, number, number])[] {
      return points.map(({ attributes, value }) =>
        typeof value === 'number'
          ? [attributes['model'], Number.NaN, value]
          : [attributes['model'], value.count, value.sum ?? Number.NaN],
      );
    }

    it('are all in the collection that comes after them, however many', async () => {
      const reader = new PulledReader();
      const { add, record } = on(new sdk.MeterProvider({ readers: [reader] }).getMeter('t'));
      for (let i = 1; i <= 700; i += 1) {
        add(i, ALIKE);
        record(i, i % 7 === 0 ? OTHER : ALIKE);
      }
      assert.deepEqual(values(await reader.points('cost')), [['a', Number.NaN, 245_350]]);
      assert.deepEqual(values(await reader.points('tokens')), [
        ['a', 600, 210_000],
        ['b', 100, 35_350],
      ]);
      add(1, ALIKE);
      add(1, ALIKE);
      assert.deepEqual(values(await reader.points('cost')), [['a', Number.NaN, 245_352]]);
    });

    it('reach every reader once, whichever collects first', async () => {
      const [cumulative, delta] = [new PulledReader(), deltaReader()];
      const provider = new sdk.MeterProvider({ readers: [cumulative, delta] });
      const { record } = on(provider.getMeter('t'));
      const sums: number[][] = [];
      for (let round = 0; round < 3; round += 1) {
        for (let i = 0; i < 10; i += 1) record(1, ALIKE);
        const readers = round === 1 ? [delta, cumulative] : [cumulative, delta];
        const counts = new Map<PulledReader, number>();
        for (const reader of readers) {
          const [point] = values(await reader.points('tokens'));
          counts.set(reader, point?.[1] ?? Number.NaN);
        }
        sums.push([counts.get(cumulative) ?? 0, counts.get(delta) ?? 0]);
      }
      assert.deepEqual(sums, [
        [10, 10],
        [20, 10],
        [30, 10],
      ]);
    });

    for (const ending of ['forceFlush', 'shutdown'] as const) {
      it(`are exported by ${ending}()`, async () => {
        const exporter = new sdk.InMemoryMetricExporter(sdk.AggregationTemporality.CUMULATIVE);
        const provider = new sdk.MeterProvider({
          readers: [
            new sdk.PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 60_000 }),
          ],
        });
        const { add } = on(provider.getMeter('t'));
        for (let i = 0; i < 9; i += 1) add(2, ALIKE);
        // What has been exported is forgotten at shutdown, so it is looked at on its way.
        const exported: unknown[] = [];
        const original = exporter.export.bind(exporter);
        exporter.export = (metrics, done) => {
          for (const scope of metrics.scopeMetrics) {
            for (const metric of scope.metrics) exported.push(metric.dataPoints[0]?.value);
          }
          original(metrics, done);
        };
        await provider[ending]();
        assert.deepEqual(exported, [18]);
        if (ending === 'forceFlush') await provider.shutdown();
      });
    }

    it('date the beginning of their series by the first of them', async () => {
      const reader = deltaReader();
      const { record } = on(new sdk.MeterProvider({ readers: [reader] }).getMeter('t'));
      const before = Date.now();
      record(1, ALIKE);
      await new Promise((resolve) => setTimeout(resolve, 60));
      record(1, ALIKE);
      const [point] = await reader.points('tokens');
      const [seconds, nanos] = point?.startTime ?? [0, 0];
      const startedMs = seconds * 1000 + nanos / 1e6;
      assert.ok(startedMs >= before - 1 && startedMs < before + 50, `${startedMs} for ${before}`);
    });

    it('of one meter never go to another', async () => {
      const [first, second] = [new PulledReader(), new PulledReader()];
      const one = on(new sdk.MeterProvider({ readers: [first] }).getMeter('t'));
      const two = on(new sdk.MeterProvider({ readers: [second] }).getMeter('t'));
      for (let i = 0; i < 3; i += 1) one.add(1, ALIKE);
      for (let i = 0; i < 4; i += 1) two.add(1, ALIKE);
      assert.deepEqual(values(await first.points('cost')), [['a', Number.NaN, 3]]);
      assert.deepEqual(values(await second.points('cost')), [['a', Number.NaN, 4]]);
    });
  });
}

describe('held points', () => {
  /** A meter of another make, that says what reaches it. */
  function telling(told: number[]): Meter {
    const instrument = { add: (value: number) => told.push(value) };
    return { createCounter: () => instrument } as unknown as Meter;
  }

  for (const [which, createObservableGauge] of [
    ['that cannot tell of a collection', undefined],
    ['whose observables fail', () => assert.fail('not to be had')],
  ] as const) {
    it(`are not held for a meter ${which}`, () => {
      const told: number[] = [];
      const meter = { ...telling(told), ...(createObservableGauge && { createObservableGauge }) };
      const add = new HeldPoints(meter).counter(meter.createCounter('cost'));
      for (let i = 0; i < 3; i += 1) add(i, ALIKE);
      assert.deepEqual(told, [0, 1, 2]);
    });
  }

  it('are at most 256, also when each is of a series of its own', () => {
    const told: number[] = [];
    const meter = telling(told);
    meter.createObservableGauge = (name) => createNoopMeter().createObservableGauge(name);
    const add = new HeldPoints(meter).counter(meter.createCounter('cost'));
    for (let i = 0; i < 256; i += 1) add(1, ALIKE);
    assert.deepEqual(told, [1, 255]);
    told.length = 0;
    for (let i = 0; i < 600; i += 1) add(1, { model: String(i) });
    assert.deepEqual(told, Array(600).fill(1));
  });
});
