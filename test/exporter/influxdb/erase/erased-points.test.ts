import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eraseInfluxUser } from '../../../../exporter/influxdb/erase/influx-erase.ts';
import { InfluxUsageReader } from '../../../../exporter/influxdb/read/influx-usage-reader.ts';
import { repriceInfluxLedger } from '../../../../exporter/influxdb/reprice/influx-reprice.ts';
import { rollUpInfluxLedger } from '../../../../exporter/influxdb/rollup/influx-roll-up.ts';
import { UsageLineWriter } from '../../../../exporter/influxdb/write/lines/usage-line.ts';
import type { EraseResult } from '../../../../exporter/ledger/erase.ts';
import type { UsageRecord } from '../../../../src/domain/usage-record.ts';
import { influxExecute, influxRows } from '../../../support/influx.ts';
import { QueryContract } from '../../../support/query-contract.ts';
import { requireServer, startInfluxd, type TestServer } from '../../../support/servers.ts';
import { usageRecord } from '../../../support/usage-logs.ts';

const T0 = Date.parse('2026-11-01T10:00:00Z');
const HOUR_MS = 3_600_000;
const SAME = '2026-11-01T10:00:00.000000001Z';

describe('points that an erasure deletes', () => {
  let influxd: TestServer;

  before(function () {
    requireServer(this, 'influxd');
  });
  beforeEach(async () => {
    influxd = await startInfluxd({ databases: ['llm'] });
  });
  afterEach(async () => await influxd.stop());

  async function write(
    records: readonly UsageRecord[],
    { maxUserTags = 10, to = 'db=llm' } = {},
  ): Promise<void> {
    const lines = new UsageLineWriter({ maxUserTags, maxDimensionTags: 10, onCleaned() {} });
    const body = records.map((record) => String(lines.line(record))).join('\n');
    const response = await fetch(`${influxd.url}/write?${to}`, { method: 'POST', body });
    assert.equal(response.status, 204, await response.text());
  }
  async function left(bucket = 'llm'): Promise<readonly string[]> {
    const reader = new InfluxUsageReader({ url: influxd.url, bucket });
    const { records } = await reader.records({ limit: 1000 });
    await reader.close();
    return records.map(({ userId = '' }) => userId).toSorted((a, b) => (a < b ? -1 : 1));
  }
  const erase = async (userId: string, bucket = 'llm'): Promise<EraseResult> =>
    await eraseInfluxUser({ url: influxd.url, bucket, userId, spool: false });
  const byTurns = (users: readonly string[]): readonly UsageRecord[] =>
    users.map((userId, i) => usageRecord(T0 + i * 1000, { userId }));

  it('are not those of others, where a user has the name of their series', async () => {
    await write(byTurns(['(other)', 'ann', 'bob', '(other)']), { maxUserTags: 0 });
    assert.deepEqual(await erase('(other)'), { found: 2, erased: 2, mayRemain: [] });
    assert.deepEqual(await left(), ['ann', 'bob']);
  });

  it('are not those of everybody, where there is no user', async () => {
    await write(byTurns(['ann', 'bob']));
    await assert.rejects(erase(''), { code: 'INVALID_OPTION', message: /userId/ });
    assert.deepEqual(await left(), ['ann', 'bob']);
  });

  it('are not calls that were made after it began', async () => {
    const later = Date.now() + 60_000;
    for (const maxUserTags of [0, 10]) {
      const newer = [1, 2].map((i) => usageRecord(later + i + maxUserTags, { userId: 'ann' }));
      await write([...byTurns(['ann', 'bob', 'ann']), ...newer], { maxUserTags });
    }
    assert.deepEqual(await erase('ann'), { found: 4, erased: 4, mayRemain: [] });
    assert.deepEqual(await left(), ['ann', 'ann', 'ann', 'ann', 'bob', 'bob']);
  });

  describe('at one nanosecond', () => {
    const records = [
      usageRecord(T0, { userId: 'ann', time: SAME }),
      usageRecord(T0, { userId: 'bob', time: SAME, team: 'search' }),
      usageRecord(T0, { userId: 'carol', time: SAME, requestModel: 'o3' }),
    ];
    beforeEach(async () => {
      await write(records, { maxUserTags: 0 });
    });

    it('are those of the user alone on 1.x', async () => {
      assert.deepEqual(await erase('ann'), { found: 1, erased: 1, mayRemain: [] });
      assert.deepEqual(await left(), ['bob', 'carol']);
    });

    it('stay on 2.x with that of another user, which its predicate cannot leave out', async () => {
      const contract = await QueryContract.start('2', influxd.url);
      const access = { url: contract.url, bucket: 'llm', org: 'acme', token: contract.token };
      contract.buckets = [{ name: 'llm', org: 'acme' }];
      const result = await eraseInfluxUser({ ...access, userId: 'ann', spool: false });
      assert.deepEqual([result.found, result.erased], [1, 0]);
      assert.match(
        result.mayRemain.join('\n'),
        /^llm: 1 at the nanosecond of a call of another user/,
      );
      assert.deepEqual(await left(), ['ann', 'bob', 'carol']);
      const carol = await eraseInfluxUser({ ...access, userId: 'carol', spool: false });
      assert.deepEqual(carol, { found: 1, erased: 1, mayRemain: [] });
      assert.deepEqual(await left(), ['ann', 'bob']);
      await contract.stop();
    });
  });

  it('are found by the cost alone, and are no calls to readers', async () => {
    await write(byTurns(['ann', 'bob']));
    const cost = `llm_usage,user_id=ann cost_usd=0.5,cost_source="table" ${T0}000000`;
    await erase('ann');
    await fetch(`${influxd.url}/write?db=llm`, { method: 'POST', body: cost });
    assert.deepEqual(await left(), ['bob']);
    assert.deepEqual(await erase('ann'), { found: 0, erased: 0, mayRemain: [] });
    const rows = await influxRows(influxd.url, 'llm', `SELECT * FROM llm_usage`);
    assert.deepEqual(
      rows.map((row) => row['user']),
      ['bob'],
    );
  });

  it('are also the costs that a reprice writes for calls which were erased meanwhile', async () => {
    const users = ['ann', 'bob', 'ann'];
    await write([...byTurns(users), usageRecord(T0 + HOUR_MS, { userId: 'ann' })]);
    await write([usageRecord(T0 + 5000, { userId: 'ann' })], { maxUserTags: 0 });
    let erased: EraseResult | undefined;
    const slow = createServer((request, response) => {
      void (async () => {
        const chunks: Buffer[] = [];
        for await (const chunk of request) chunks.push(chunk as Buffer);
        if (request.url?.startsWith('/write') === true) erased ??= await erase('ann');
        const { method = 'GET', url = '/' } = request;
        const type = request.headers['content-type'];
        const answer = await fetch(influxd.url + url, {
          method,
          ...(type !== undefined && { headers: { 'content-type': type } }),
          ...(method === 'POST' && { body: Buffer.concat(chunks) }),
        });
        const version = answer.headers.get('x-influxdb-version') ?? '';
        response.writeHead(answer.status, { 'x-influxdb-version': version });
        response.end(Buffer.from(await answer.arrayBuffer()));
      })();
    });
    await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve));
    const { port } = slow.address() as AddressInfo;
    const costOf = (): number => 0.5;
    await repriceInfluxLedger({ url: `http://127.0.0.1:${port}`, bucket: 'llm', costOf });
    assert.deepEqual(erased, { found: 4, erased: 4, mayRemain: [] });
    const rows = await influxRows(influxd.url, 'llm', 'SELECT * FROM llm_usage');
    assert.deepEqual(
      rows.map((row) => [row['user'], row['cost_usd']]),
      [['bob', 0.5]],
    );
    slow.closeAllConnections();
    slow.close();
  });

  it('are those of all retention policies on 1.x, whose sums are made again', async () => {
    await influxExecute(
      influxd.url,
      'CREATE RETENTION POLICY "pol" ON "llm" DURATION INF REPLICATION 1',
    );
    const records = Array.from({ length: 40 }, (_, i) =>
      usageRecord(T0 + i * 600_000, { userId: i % 4 === 0 ? 'ann' : 'bob' }),
    );
    const buckets = ['llm', 'llm/pol'];
    await write(records);
    await write(records, { to: 'db=llm&rp=pol' });
    for (const bucket of buckets) await rollUpInfluxLedger({ url: influxd.url, bucket });
    const result = await erase('ann', 'llm/pol');
    assert.deepEqual(result, { found: 20, erased: 20, mayRemain: [] });
    for (const bucket of buckets) {
      const reader = new InfluxUsageReader({ url: influxd.url, bucket });
      const range = { from: new Date(T0 - HOUR_MS), to: new Date(T0 + 12 * HOUR_MS) };
      const { total } = await reader.summary(range);
      assert.equal(total.calls, 30, bucket);
      assert.equal((await left(bucket)).length, 30, bucket);
      await reader.close();
    }
  });
});
