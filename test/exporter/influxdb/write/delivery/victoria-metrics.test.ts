import assert from 'node:assert/strict';
import { resolveInfluxOptions } from '../../../../../exporter/influxdb/influx-options.ts';
import { LineExporter } from '../../../../../exporter/influxdb/write/line-exporter.ts';
import { lineOf } from '../../../../support/line-of.ts';
import { until } from '../../../../support/until.ts';
import {
  requireServer,
  startVictoriaMetrics,
  type TestServer,
} from '../../../../support/servers.ts';

const DAY_MS = 86_400_000;

/** What a server does with single lines that it will not have, and what the exporter can know of it. */
describe('lines that VictoriaMetrics does not take', () => {
  let server: TestServer;
  let exporter: LineExporter;

  before(async function () {
    requireServer(this, 'victoria-metrics');
    server = await startVictoriaMetrics({ retention: '1d' });
  });
  after(async () => await server?.stop());
  beforeEach(() => {
    const options = { url: server.url, bucket: 'usage', spool: false as const };
    exporter = new LineExporter('usage', resolveInfluxOptions('test', options));
  });
  afterEach(async () => await exporter.shutdown());

  const stored = async (measurement: string): Promise<string[]> => {
    await fetch(`${server.url}/internal/force_flush`);
    const response = await fetch(`${server.url}/api/v1/export?match[]=${measurement}_v`);
    const series = (await response.text()).trim().split('\n').filter(Boolean);
    return series
      .map((line) => (JSON.parse(line) as { metric: { n: string } }).metric.n)
      .toSorted();
  };
  /** What the server itself counts of the lines it left out. */
  const leftOut = async (counter: string): Promise<number> => {
    const text = await (await fetch(`${server.url}/metrics`)).text();
    const line = text.split('\n').find((one) => one.startsWith(counter));
    return Number(line?.split(' ').at(-1));
  };

  it('stores the neighbours of a bad line, whether the line is skipped or the batch refused', async () => {
    const counter = 'vm_rows_invalid_total{type="influx"}';
    const before = await leftOut(counter);
    const now = Date.now();
    const bad = 500;
    for (let i = 0; i < 1000; i++) {
      exporter.write(lineOf(i === bad ? `bad,n=${i}` : `bad,n=${i} v=1i ${now}000000`));
    }
    await exporter.flush();
    // It shows what was written with a delay.
    await until(async () => (await stored('bad')).length >= 999, 10_000);
    const numbers = (await stored('bad')).map(Number);
    assert.equal(numbers.length, 999);
    assert.ok(!numbers.includes(bad));
    const { delivered, dropped, pending } = exporter.status();
    assert.equal(pending, 0);
    // 1.79 answers 204 and skips the line: only its own counter tells. Later ones refuse the batch.
    assert.deepEqual([delivered, dropped], delivered === 1000 ? [1000, {}] : [999, { refused: 1 }]);
    await until(async () => (await leftOut(counter)) > before, 10_000);
  });

  it('says nothing of a record beyond its retention but in its own counter', async () => {
    const counter = 'vm_rows_ignored_total{reason="small_timestamp"}';
    const before = await leftOut(counter);
    const now = Date.now();
    exporter.write(lineOf(`old,n=1 v=1i ${now - 40 * DAY_MS}000000`));
    exporter.write(lineOf(`old,n=2 v=1i ${now}000000`));
    await exporter.flush();
    await until(async () => (await stored('old')).length > 0, 10_000);
    assert.deepEqual(await stored('old'), ['2']);
    await until(async () => (await leftOut(counter)) === before + 1, 10_000);
    assert.equal(exporter.status().delivered, 2);
  });
});
