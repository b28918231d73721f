import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { eraseInfluxUser } from '../../exporter/influxdb/erase/influx-erase.ts';
import { InfluxUsageReader } from '../../exporter/influxdb/read/influx-usage-reader.ts';
import { rollUpInfluxLedger } from '../../exporter/influxdb/rollup/influx-roll-up.ts';
import { InfluxUsageProcessor } from '../../exporter/influxdb/write/influx-usage-processor.ts';
import type { UsageRecord } from '../../src/domain/usage-record.ts';
import { askRandomly } from '../conformance/usage-readers/random-questions.ts';
import { freePort, launch, temporaryFolder, type TestServer } from '../support/servers.ts';
import { until } from '../support/until.ts';
import { mixedRecords } from '../support/usage-ledger.ts';
import { logOf } from '../support/usage-logs.ts';

/** Path of an `influxd` of 2.x. Debian has none, so that without it there is nothing to test. */
const INFLUXD_2 = process.env['TEST_INFLUXD_2'];
const QUESTIONS = 400;
const FROM = Date.parse('2026-10-22T20:17:31.250Z');
const DAYS_MS = 6 * 86_400_000;
const ORG = 'acme';
const TOKEN = 'test-token-of-influxd-2';

/** A tag has no line breaks. */
function inOneLine(record: UsageRecord): UsageRecord {
  const { dimensions = {}, ...rest } = record;
  const values = Object.entries(dimensions).map(([name, value]) => [
    name,
    value.replaceAll('\n', ' '),
  ]);
  return values.length === 0 ? record : { ...rest, dimensions: Object.fromEntries(values) };
}

describe('a real InfluxDB 2.x', function () {
  this.timeout(900_000);
  let server: TestServer;

  before(async function () {
    if (INFLUXD_2 === undefined) return this.skip();
    const directory = temporaryFolder('influxd2');
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    server = await launch({
      command: INFLUXD_2,
      args: [
        'run',
        `--bolt-path=${directory}/influxd.bolt`,
        `--sqlite-path=${directory}/influxd.sqlite`,
        `--engine-path=${directory}/engine`,
        `--http-bind-address=127.0.0.1:${port}`,
        '--reporting-disabled',
      ],
      port,
      directory,
      ready: async () => (await fetch(`${url}/health`)).status === 200,
    });
    const made = await post('/api/v2/setup', {
      username: 'admin',
      password: randomUUID(),
      org: ORG,
      bucket: 'first',
      token: TOKEN,
    });
    assert.equal(made.status, 201, await made.text());
  });
  after(async () => await server?.stop());

  async function post(path: string, body: object): Promise<Response> {
    return await fetch(`${server.url}${path}`, {
      method: 'POST',
      headers: { authorization: `Token ${TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  }

  async function makeBucket(name: string): Promise<void> {
    const headers = { authorization: `Token ${TOKEN}` };
    const answer = await fetch(`${server.url}/api/v2/orgs?org=${ORG}`, { headers });
    const { orgs } = (await answer.json()) as { orgs: { id: string }[] };
    const made = await post('/api/v2/buckets', { orgID: orgs[0]?.id, name, retentionRules: [] });
    assert.equal(made.status, 201, await made.text());
  }

  const access = (bucket: string, rollUpBucket?: string) => ({
    url: server.url,
    org: ORG,
    token: TOKEN,
    bucket,
    ...(rollUpBucket !== undefined && { rollUpBucket }),
  });

  async function deliver(
    records: readonly UsageRecord[],
    to: ReturnType<typeof access>,
  ): Promise<void> {
    const directory = temporaryFolder('spool');
    const processor = new InfluxUsageProcessor({
      ...to,
      spool: { directory },
      maxUserTags: 2,
      batchSize: 500,
    });
    for (const record of records) processor.onEmit(logOf(record));
    await processor.forceFlush();
    await until(() => processor.status().pending === 0);
    const { delivered, dropped } = processor.status();
    assert.deepEqual([delivered, dropped], [records.length, {}]);
    await processor.shutdown();
  }

  for (const own of [false, true]) {
    const place = own ? 'in a bucket of their own' : 'beside the calls';
    it(`answers from roll-ups ${place} and calls that came late as naive sums do; an erasure is in both`, async () => {
      const [bucket, sums] = [`calls-${own}`, own ? 'sums' : undefined];
      for (const name of [bucket, ...(sums === undefined ? [] : [sums])]) await makeBucket(name);
      const to = access(bucket, sums);
      const records = mixedRecords(1500, FROM, FROM + DAYS_MS).map(inOneLine);
      const reader = new InfluxUsageReader({ ...to, maxAgeMs: 0 });
      let hours = 0;
      const now = (): number => Date.now() + ++hours * 3_600_000;
      try {
        const early = records.filter((_, index) => index % 2 === 0);
        await deliver(early, to);
        await rollUpInfluxLedger({ ...to, now });
        await askRandomly(reader, early, QUESTIONS, { about: records });
        await deliver(
          records.filter((_, index) => index % 2 === 1),
          to,
        );
        await askRandomly(reader, records, QUESTIONS, { about: records });
        await rollUpInfluxLedger({ ...to, now });
        await askRandomly(reader, records, QUESTIONS, { about: records });
        const userId = records.find((record) => record.userId !== undefined)?.userId ?? '';
        const left = records.filter((record) => record.userId !== userId);
        const erased = await eraseInfluxUser({ ...to, userId });
        assert.equal(erased.erased, records.length - left.length);
        await askRandomly(reader, left, QUESTIONS, { about: left });
      } finally {
        await reader.close();
      }
    });
  }
});
