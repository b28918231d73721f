import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Attributes, ValueType } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  AggregationType,
  MeterProvider,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import fc from 'fast-check';
import { cleanTag } from '../../../../../exporter/influxdb/write/lines/escaping.ts';
import { InfluxMetricExporter } from '../../../../../exporter/influxdb/write/influx-metric-exporter.ts';
import { collectedMetrics } from '../../../../support/collected-metrics.ts';
import { hostileText } from '../../../../support/hostile-text.ts';
import { influxRows } from '../../../../support/influx.ts';
import { requireServer, startInfluxd, type TestServer } from '../../../../support/servers.ts';
import { OnDemandReader } from '../../../../support/telemetry.ts';

type Row = Record<string, unknown>;
type Kind = 'gauge' | 'counter' | 'upDownCounter' | 'explicit' | 'exponential';

interface Scenario {
  readonly kind: Kind;
  readonly isInteger: boolean;
  readonly isCumulative: boolean;
  readonly boundaries: readonly number[];
  readonly series: readonly {
    readonly attributes: Attributes;
    /** What is recorded before each collection; the last one is of a process started anew. */
    readonly rounds: readonly (readonly number[])[];
  }[];
}

const hostileAttributes = fc.dictionary(
  hostileText,
  fc.oneof(
    hostileText,
    fc.integer(),
    fc.double(),
    fc.boolean(),
    fc.constant(undefined),
    fc.array(fc.string(), { maxLength: 3 }),
  ),
  { maxKeys: 4 },
);

/** Eighths are added up without an error, so that sums can be compared exactly. */
const eighths = fc.integer({ min: 0, max: 8e6 }).map((n) => n / 8);
const amounts = fc.array(
  fc.oneof(
    { weight: 12, arbitrary: eighths },
    { weight: 1, arbitrary: fc.constantFrom(NaN, Infinity) },
  ),
  { maxLength: 5 },
);

const scenarios: fc.Arbitrary<Scenario> = fc.record({
  kind: fc.constantFrom<Kind>('gauge', 'counter', 'upDownCounter', 'explicit', 'exponential'),
  isInteger: fc.boolean(),
  isCumulative: fc.boolean(),
  boundaries: fc.subarray([-5, 0, 1e-7, 0.1, 1, 2.5, 1000, 5e5, 1e21, Number.MAX_VALUE]),
  series: fc.array(
    fc.record({
      attributes: hostileAttributes,
      rounds: fc.tuple(amounts, amounts, amounts),
    }),
    { minLength: 1, maxLength: 3 },
  ),
});

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

/** What the SDK takes of recorded values: an integer instrument whole numbers only. */
function taken({ isInteger }: Scenario, values: readonly number[]): readonly number[] {
  return isInteger ? values.map(Math.trunc).filter(Number.isInteger) : values;
}

/** A series of NaN alone is a series, with nothing in its histogram; an exponential one takes no Infinity. */
function isCounted(kind: Kind, value: number): boolean {
  if (kind === 'exponential') return Number.isFinite(value);
  return kind !== 'explicit' || !Number.isNaN(value);
}

async function collectAll(name: string, scenario: Scenario): Promise<ResourceMetrics[]> {
  const { kind, isCumulative, isInteger, boundaries, series } = scenario;
  const start = (): { reader: OnDemandReader; record: (value: number, of: Attributes) => void } => {
    const reader = new OnDemandReader({
      aggregationTemporalitySelector: () =>
        isCumulative ? AggregationTemporality.CUMULATIVE : AggregationTemporality.DELTA,
      aggregationSelector: () => ({
        type:
          kind === 'exponential' ? AggregationType.EXPONENTIAL_HISTOGRAM : AggregationType.DEFAULT,
      }),
    });
    const resource = resourceFromAttributes({ 'service.name': 'shop' });
    const meter = new MeterProvider({ resource, readers: [reader] }).getMeter('test');
    const valueType = isInteger ? ValueType.INT : ValueType.DOUBLE;
    if (kind === 'gauge') {
      const gauge = meter.createGauge(name, { valueType });
      return { reader, record: (value, of) => gauge.record(value, of) };
    }
    if (kind === 'counter' || kind === 'upDownCounter') {
      const counter =
        kind === 'counter'
          ? meter.createCounter(name, { valueType })
          : meter.createUpDownCounter(name, { valueType });
      return { reader, record: (value, of) => counter.add(value, of) };
    }
    const advice = kind === 'explicit' ? { explicitBucketBoundaries: [...boundaries] } : {};
    const histogram = meter.createHistogram(name, { valueType, advice });
    return { reader, record: (value, of) => histogram.record(value, of) };
  };
  const collections: ResourceMetrics[] = [];
  let source = start();
  for (const round of [0, 1, 2]) {
    if (round === 2) {
      // A restart shows in the start time, which has milliseconds.
      await sleep(2);
      source = start();
    }
    for (const [i, { attributes, rounds }] of series.entries()) {
      for (const value of rounds[round] ?? []) source.record(value, { series: i, ...attributes });
    }
    collections.push((await source.reader.collect()).resourceMetrics);
  }
  return collections;
}

/** Nearest rank. */
function quantile(values: readonly number[], q: number): number {
  return values.toSorted((a, b) => a - b)[Math.max(1, Math.ceil(q * values.length)) - 1] ?? NaN;
}

/** Rows of one series against what was recorded for it, collection by collection. */
function checkSeries(
  scenario: Scenario,
  rounds: readonly (readonly number[])[],
  rows: Row[],
): void {
  const { kind, isCumulative, boundaries } = scenario;
  const left = [...rows];
  const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);
  const isHistogram = kind === 'explicit' || kind === 'exponential';
  let before: number[] = [];
  let isKnown = false;
  for (const [round, given] of rounds.entries()) {
    if (round === 2) [before, isKnown] = [[], false];
    const took = taken(scenario, given);
    const values = took.filter((value) => isCounted(kind, value));
    const all = [...before, ...values];
    const isFirst = !isKnown;
    isKnown = took.length > 0 || (isCumulative && isKnown);
    const level = kind === 'gauge' ? (all.at(-1) ?? NaN) : sumOf(all);
    const since = isCumulative ? sumOf(all) - sumOf(before) : sumOf(values);
    const total = isCumulative && kind === 'upDownCounter' ? level : since;
    before = all;
    if (!isKnown) continue;
    if (!isHistogram) {
      const expected = kind === 'gauge' ? level : total;
      if (!Number.isFinite(expected)) continue;
      assert.equal(left.shift()?.['value'], expected, `${kind}, collection ${round}`);
      continue;
    }
    const row = left.shift() ?? assert.fail('a row is missing');
    assert.equal(row['count'], values.length);
    assert.equal(row['sum'] ?? null, finite(since));
    // From two totals the extremes of the interval between them cannot be told.
    const hasExtremes = values.length > 0 && (!isCumulative || isFirst);
    if (hasExtremes && Number.isFinite(sumOf(values))) {
      assert.equal(row['min'], Math.min(...values));
      assert.equal(row['max'], Math.max(...values));
    }
    if (kind === 'explicit') {
      for (const bound of boundaries) {
        const below = values.filter((value) => value <= bound).length;
        assert.equal(row[`le_${bound}`], below, `le_${bound}`);
      }
    } else if (values.length > 0 && Number.isFinite(sumOf(all))) {
      for (const [column, q] of [
        ['p50', 0.5],
        ['p95', 0.95],
        ['p99', 0.99],
      ] as const) {
        const told = Number(row[column]);
        const real = quantile(values, q);
        if (hasExtremes) {
          assert.ok(told >= Math.min(...values) && told <= Math.max(...values), column);
        }
        // The SDK's widest bucket here is from n to 2n, and its middle is told.
        const ratio = told === real ? 1 : told / real;
        assert.ok(ratio > 0.7 && ratio < 1.42, `${column} ${told} of ${real}`);
      }
    }
  }
  assert.deepEqual(left, [], 'more rows than collections');
}

describe('metrics with arbitrary content and InfluxDB 1.x', () => {
  let server: TestServer;
  let exporter: InfluxMetricExporter;

  before(async function () {
    requireServer(this, 'influxd');
    server = await startInfluxd({ databases: ['metrics'] });
    exporter = new InfluxMetricExporter({ url: server.url, bucket: 'metrics', spool: false });
  });
  after(async () => {
    await exporter?.shutdown();
    await server?.stop();
  });

  const write = async (collections: readonly ResourceMetrics[]): Promise<void> => {
    for (const metrics of collections) {
      const code = await new Promise((resolve) =>
        exporter.export(metrics, (result) => resolve(result.code)),
      );
      assert.equal(code, 0);
    }
    await exporter.forceFlush();
    const { dropped, pending } = exporter.status();
    const { unwritable: _, ...others } = dropped;
    assert.deepEqual([others, pending], [{}, 0]);
  };

  it('gives back every kind of metric, delta and cumulative, as it was recorded', async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(scenarios, hostileText, async (scenario, suffix) => {
        run++;
        await write(await collectAll(`any.${run}.${suffix}`, scenario));
        const rows = await influxRows(
          server.url,
          'metrics',
          `SELECT * FROM /^any_${run}_/ GROUP BY *`,
        );
        for (const [i, { attributes, rounds }] of scenario.series.entries()) {
          const own = rows.filter(({ series }) => series === String(i));
          checkSeries(scenario, rounds, own);
          for (const [name, value] of Object.entries(attributes)) {
            if (value === undefined || cleanTag(name) === '' || own.length === 0) continue;
            const text = cleanTag(typeof value === 'string' ? value : JSON.stringify(value));
            if (text !== '') assert.ok(Object.values(own[0] ?? {}).includes(text), name);
          }
        }
      }),
      { numRuns: 120 },
    );
  });

  it('adds up series that are the same as text', async () => {
    const points = fc.array(fc.tuple(hostileAttributes, fc.integer({ min: 0, max: 1e6 })), {
      minLength: 1,
      maxLength: 6,
    });
    let run = 0;
    await fc.assert(
      fc.asyncProperty(points, hostileText, async (given, suffix) => {
        run++;
        await write([collectedMetrics(`same.${run}.${suffix}`, given)]);
        const [row] = await influxRows(
          server.url,
          'metrics',
          `SELECT sum(value) FROM /^same_${run}_/`,
        );
        assert.equal(row?.['sum'], sumOf(given.map(([, value]) => value)));
      }),
      { numRuns: 40 },
    );
  });
});
