import assert from 'node:assert/strict';
import { eraseInfluxUser } from '../../../../exporter/influxdb/erase/influx-erase.ts';
import { InfluxUsageReader } from '../../../../exporter/influxdb/read/influx-usage-reader.ts';
import { UsageLineWriter } from '../../../../exporter/influxdb/write/lines/usage-line.ts';
import type { UsageRecord } from '../../../../src/domain/usage-record.ts';
import { QueryContract } from '../../../support/query-contract.ts';
import { requireServer, startInfluxd, type TestServer } from '../../../support/servers.ts';
import { usageRecord } from '../../../support/usage-logs.ts';

const T0 = Date.parse('2026-11-01T10:00:00Z');
const MODEL = 'my "own" model\\2';

describe('eraseInfluxUser on InfluxDB 2.x', () => {
  let influxd: TestServer;
  let contract: QueryContract;
  const users = ['alice', 'o"Brien\\x, =1', 'mallory', undefined];
  const records: readonly UsageRecord[] = Array.from({ length: 40 }, (_, i) => {
    const userId = users[i % users.length];
    return usageRecord(T0 + i * 1000, {
      ...(userId !== undefined && { userId }),
      requestModel: i % 3 === 0 ? MODEL : 'gpt-4o',
    });
  });

  before(function () {
    requireServer(this, 'influxd');
  });
  beforeEach(async () => {
    influxd = await startInfluxd({ databases: ['llm_metrics'] });
    contract = await QueryContract.start('2', influxd.url);
  });
  afterEach(async () => {
    await contract.stop();
    await influxd.stop();
  });

  async function write(maxUserTags: number): Promise<void> {
    const lines = new UsageLineWriter({ maxUserTags, maxDimensionTags: 10, onCleaned() {} });
    const body = records.map((record) => String(lines.line(record))).join('\n');
    const response = await fetch(`${influxd.url}/write?db=llm_metrics`, { method: 'POST', body });
    assert.equal(response.status, 204, await response.text());
  }
  const access = (): { url: string; bucket: string; org: string; token: string } => ({
    url: contract.url,
    bucket: 'llm_metrics',
    org: 'acme',
    token: contract.token,
  });
  async function left(): Promise<readonly string[]> {
    const reader = new InfluxUsageReader(access());
    const page = await reader.records({ limit: 1000 });
    await reader.close();
    return page.records.map(({ id }) => id).toSorted((a, b) => (a < b ? -1 : 1));
  }
  const without = (user: string): readonly string[] =>
    records.filter(({ userId }) => userId !== user).map(({ id }) => id);

  it('deletes the series of a user, whatever is in its name, and nothing else', async () => {
    await write(10);
    const userId = 'o"Brien\\x, =1';
    const dry = await eraseInfluxUser({ ...access(), userId, dryRun: true });
    assert.deepEqual(dry, { found: 10, erased: 0, mayRemain: [] });
    assert.equal((await left()).length, 40);
    const result = await eraseInfluxUser({ ...access(), userId });
    assert.deepEqual(result, { found: 10, erased: 10, mayRemain: [] });
    assert.equal(contract.deletions.length, 2, 'one for each series');
    assert.deepEqual(await left(), without(userId));
  });

  it('deletes calls one by one where their tag is (other), and leaves those of others', async () => {
    await write(1);
    const result = await eraseInfluxUser({ ...access(), userId: 'mallory' });
    assert.deepEqual(result, { found: 10, erased: 10, mayRemain: [] });
    assert.equal(contract.deletions.length, 10);
    assert.deepEqual(await left(), without('mallory'));
    const none = await eraseInfluxUser({ ...access(), userId: 'mallory' });
    assert.deepEqual(none, { found: 0, erased: 0, mayRemain: [] });
  });

  it('says what the token lacks, without the user', async () => {
    await write(10);
    contract.tokens.set(contract.token, { org: 'acme', reads: true });
    await assert.rejects(eraseInfluxUser({ ...access(), userId: 'alice' }), (error: Error) => {
      assert.match(
        error.message,
        /does not take roll-ups: HTTP 403: insufficient permissions for write/,
      );
      assert.doesNotMatch(error.message, /alice/);
      return true;
    });
    assert.equal((await left()).length, 40);
  });

  it('is refused on InfluxDB 3, which deletes no records', async () => {
    const third = await QueryContract.start('3', influxd.url);
    const { url, token } = third;
    await assert.rejects(eraseInfluxUser({ url, token, bucket: 'llm_metrics', userId: 'alice' }), {
      code: 'BACKEND_REFUSED',
      message: /InfluxDB 3 cannot delete/,
    });
    await third.stop();
  });
});
