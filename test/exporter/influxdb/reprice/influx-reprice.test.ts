import assert from 'node:assert/strict';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  repriceInfluxLedger,
  type InfluxRepriceOptions,
} from '../../../../exporter/influxdb/reprice/influx-reprice.ts';
import { InfluxUsageReader } from '../../../../exporter/influxdb/read/influx-usage-reader.ts';
import { UsageLineWriter } from '../../../../exporter/influxdb/write/lines/usage-line.ts';
import type { RepricedCost, RepriceResult } from '../../../../exporter/ledger/reprice-tally.ts';
import type { UsageRecord } from '../../../../src/domain/usage-record.ts';
import { influxExecute, influxRows } from '../../../support/influx.ts';
import { QueryContract } from '../../../support/query-contract.ts';
import { requireServer, startInfluxd, type TestServer } from '../../../support/servers.ts';
import { mixedRecords } from '../../../support/usage-ledger.ts';

const DAY_MS = 86_400_000;
const FROM = Date.parse('2026-10-20T00:00:00Z');
/** More than one batch, and more than one week. */
const MANY = mixedRecords(10_500, FROM, FROM + 17 * DAY_MS);
const FEW = mixedRecords(1500, FROM, FROM + 17 * DAY_MS);
const RANGE = { from: new Date(FROM), to: new Date(FROM + 20 * DAY_MS) };

/** Prices that know two providers: one has a part without a price, the other has the old cost. */
const costOf = (record: UsageRecord): RepricedCost | undefined => {
  const { provider, inputTokens, costUsd, costSource = 'list', costMissing } = record;
  if (provider === 'openai') {
    return inputTokens === undefined
      ? undefined
      : {
          costUsd: inputTokens * 3e-9,
          costSource: 'list',
          ...(inputTokens % 2 === 0 && { costMissing: ['code_"executions"', 'web_searches'] }),
        };
  }
  return provider === 'anthropic' && costUsd !== undefined
    ? { costUsd, costSource, ...(costMissing && { costMissing }) }
    : undefined;
};
/** What a call costs afterwards. */
const repriced = (record: UsageRecord): RepricedCost | undefined =>
  record.costSource === 'provider' ? undefined : costOf(record);

type Row = Record<string, unknown>;

describe('repriceInfluxLedger', function () {
  this.timeout(60_000);
  let influxd: TestServer;
  let options: InfluxRepriceOptions;

  const post = async (path: string, body = ''): Promise<void> => {
    const answer = await fetch(`${influxd.url}${path}`, { method: 'POST', body });
    assert.ok(answer.ok, await answer.text());
  };
  /** Every point with every tag of its series and every field. */
  const points = async (): Promise<Row[]> =>
    await influxRows(influxd.url, 'usage', 'SELECT *::field FROM llm_usage GROUP BY *');
  const fill = async (records: readonly UsageRecord[]): Promise<void> => {
    const tags = { region: 'eu west,1', path: 'C:\\logs' };
    const writer = new UsageLineWriter({
      tags,
      maxUserTags: 3,
      maxDimensionTags: 10,
      onCleaned: () => {},
    });
    const lines = records.map((record) => String(writer.line(record, 'prod')));
    await post('/write?db=usage&precision=n', lines.join('\n'));
  };
  const unpriced = (rows: readonly Row[]): Row[] =>
    rows.map((row) => ({
      ...row,
      cost_usd: undefined,
      cost_source: undefined,
      cost_missing: undefined,
    }));
  const sum = (rows: readonly Row[]): number =>
    rows.reduce((nanos, { cost_usd }) => nanos + Math.round(Number(cost_usd ?? 0) * 1e9), 0) / 1e9;

  before(async function () {
    requireServer(this, 'influxd');
    influxd = await startInfluxd();
    options = { url: influxd.url, bucket: 'usage', costOf };
  });
  after(async () => await influxd?.stop());
  beforeEach(async () => await influxExecute(influxd.url, 'CREATE DATABASE usage'));
  afterEach(async () => await influxExecute(influxd.url, 'DROP DATABASE usage'));

  describe('of many records', () => {
    beforeEach(async () => await fill(MANY));

    it('writes new costs and leaves every other field, tag and time as it was', async () => {
      const before = await points();
      assert.equal(before.length, MANY.length);
      const expected = MANY.map((record) => ({ record, now: repriced(record) }));
      const count = (wanted: (one: (typeof expected)[number]) => boolean): number =>
        expected.filter(wanted).length;
      const told: number[] = [];
      const result = await repriceInfluxLedger({
        ...options,
        onProgress: ({ calls }) => told.push(calls),
      });
      const after = await points();
      assert.deepEqual(unpriced(after), unpriced(before));
      const stored = new Map(after.map((row) => [row['record_id'], row]));
      for (const { record, now = record } of expected) {
        const row = stored.get(record.id);
        const { costUsd, costSource, costMissing = [] } = now;
        assert.equal(
          row?.['cost_usd'] ?? undefined,
          costUsd === undefined ? undefined : Math.round(costUsd * 1e9) / 1e9,
        );
        assert.equal(row?.['cost_source'] ?? undefined, costSource);
        assert.equal(row?.['cost_missing'] ?? '', costMissing.join(' '));
      }
      assert.deepEqual(result, {
        calls: MANY.length,
        changed: count(
          ({ record, now }) =>
            now !== undefined && (record.provider === 'openai' || !record.costUsd),
        ),
        newlyPriced: count(({ record, now }) => now !== undefined && record.costUsd === undefined),
        kept: count(
          ({ record, now }) =>
            now === undefined && record.costUsd !== undefined && record.costSource !== 'provider',
        ),
        reported: count(({ record }) => record.costSource === 'provider'),
        unknown: count(
          ({ record, now }) =>
            now === undefined && record.costUsd === undefined && record.tokenSource !== undefined,
        ),
        unused: count(
          ({ record, now }) =>
            now === undefined && record.costUsd === undefined && record.tokenSource === undefined,
        ),
        refused: 0,
        beforeUsd: sum(before),
        afterUsd: sum(after),
      });
      const { changed, kept, newlyPriced, reported } = result;
      assert.ok(changed > 2000 && kept > 0 && newlyPriced > 0 && reported > 0);
      assert.deepEqual([told.length > 2, told.at(-1)], [true, MANY.length]);
      const reader = new InfluxUsageReader({ url: influxd.url, bucket: 'usage' });
      const { total } = await reader.summary(RANGE);
      assert.equal(total.costUsd, result.afterUsd);
      const missing = count(({ record, now = record }) => now.costMissing !== undefined);
      assert.equal(total.partialCostCalls, missing);
      const page = await reader.records({ ...RANGE, filter: { provider: 'openai' } });
      assert.ok(page.records.every(({ costMissing }) => costMissing?.includes('') !== true));
      await reader.close();
      assert.equal((await repriceInfluxLedger(options)).changed, 0);
    });
  });

  describe('of some records', () => {
    beforeEach(async () => await fill(FEW));

    it('changes nothing when it only tells, and nothing outside of its range', async () => {
      const before = await points();
      const all = await repriceInfluxLedger({ ...options, dryRun: true });
      assert.deepEqual([all.calls, all.changed > 200], [FEW.length, true]);
      assert.deepEqual(await points(), before);
      const [from, to] = [new Date(FROM + 2 * DAY_MS), new Date(FROM + 3 * DAY_MS)];
      const day = await repriceInfluxLedger({ ...options, from, to });
      assert.equal(
        day.calls,
        FEW.filter(({ time }) => Date.parse(time) >= +from && Date.parse(time) < +to).length,
      );
      const changed = (await points()).filter(
        (row, at) => row['cost_usd'] !== before[at]?.['cost_usd'],
      );
      assert.equal(changed.length, day.changed);
      for (const { time } of changed) {
        const ms = Number(BigInt(String(time)) / 1_000_000n);
        assert.ok(ms >= +from && ms < +to);
      }
    });

    for (const version of ['2', '3'] as const) {
      it(`reads and writes as ${version}.x wants it`, async () => {
        const before = await points();
        const contract = await QueryContract.start(version, influxd.url);
        contract.buckets = [{ name: 'usage', org: 'acme' }];
        const { url, token } = contract;
        const result = await repriceInfluxLedger({
          ...options,
          url,
          token,
          org: 'acme',
          from: RANGE.from,
          to: RANGE.to,
          now: () => FROM + 18 * DAY_MS,
        });
        await contract.stop();
        const after = await points();
        assert.deepEqual([result.calls, result.refused], [FEW.length, 0]);
        assert.deepEqual(unpriced(after), unpriced(before));
        const stored = new Map(after.map((row) => [row['record_id'], row]));
        for (const record of FEW) {
          const { costSource, costMissing = [] } = repriced(record) ?? record;
          const row = stored.get(record.id);
          assert.equal(row?.['cost_source'] ?? undefined, costSource);
          assert.equal(row?.['cost_missing'] ?? '', costMissing.join(' '));
        }
        assert.equal(sum(after), result.afterUsd);
      });
    }

    /** Reads from the server, writes to a stand-in. */
    const repriceInto = async (
      handle: (lines: string, response: ServerResponse) => Promise<void> | void,
      over: Partial<InfluxRepriceOptions>,
    ): Promise<RepriceResult> => {
      const standIn = createServer((request, response) => {
        void (async () => {
          const chunks: Buffer[] = [];
          for await (const chunk of request) chunks.push(chunk as Buffer);
          const body = Buffer.concat(chunks).toString();
          if (request.url?.startsWith('/query') === true) {
            const headers = { 'content-type': request.headers['content-type'] ?? '' };
            const answer = await fetch(influxd.url + request.url, {
              method: 'POST',
              headers,
              body,
            });
            response.writeHead(answer.status).end(await answer.text());
          } else await handle(body, response);
        })();
      }).listen(0, '127.0.0.1');
      await new Promise((resolve) => standIn.once('listening', resolve));
      const url = `http://127.0.0.1:${(standIn.address() as AddressInfo).port}`;
      try {
        return await repriceInfluxLedger({
          ...options,
          url,
          version: '1',
          ...over,
        });
      } finally {
        standIn.closeAllConnections();
        standIn.close();
      }
    };

    it('counts what the server refuses, or no line can name', async () => {
      // A tag that our lines cannot hold: another program wrote it.
      const odd = `llm_usage,provider=openai,a=b\tc calls=1i,input_tokens=5i ${FROM}000000`;
      await post('/write?db=usage&precision=n', odd);
      const range = { from: new Date(FROM), to: new Date(FROM + 3 * DAY_MS) };
      const wanted = await repriceInfluxLedger({ ...options, ...range, dryRun: true });
      const result = await repriceInto(async (lines, response) => {
        if (lines.includes('model=gpt-4o-mini')) {
          response.writeHead(400).end('{"error":"partial write: points beyond retention policy"}');
          return;
        }
        await post('/write?db=usage&precision=n', lines);
        response.writeHead(204).end();
      }, range);
      assert.ok(result.refused > 20 && result.changed > 20, JSON.stringify(result));
      assert.equal(result.changed + result.refused, wanted.changed);
      assert.match(result.lastRefusal ?? '', /no line can|HTTP 400: partial write/);
      const after = await points();
      assert.equal(after.length, FEW.length + 1);
      assert.equal(after.find(({ a }) => a === 'b\tc')?.['cost_usd'], null);
      const reader = new InfluxUsageReader({ url: influxd.url, bucket: 'usage' });
      assert.equal((await reader.summary(range)).total.costUsd, result.afterUsd);
      await reader.close();
    });

    it('ends with a reason when it may read but not write', async () => {
      const denied = repriceInto((_, response) => {
        response.writeHead(403).end('{"error":"not authorized to write"}');
      }, {});
      await assert.rejects(denied, {
        code: 'BACKEND_REFUSED',
        message: /does not take the new costs: .*not authorized.*run it again/,
      });
    });

    it('ends when it is aborted', async () => {
      const enough = new AbortController();
      const busy = repriceInto(
        (_, response) => {
          response.writeHead(503).end();
          enough.abort(new Error('enough'));
        },
        { signal: enough.signal },
      );
      await assert.rejects(busy, { message: 'enough' });
    });

    it('answers an empty ledger with zeros, and a wrong bucket with a reason', async () => {
      await influxExecute(influxd.url, 'CREATE DATABASE "empty"');
      assert.equal((await repriceInfluxLedger({ ...options, bucket: 'empty' })).calls, 0);
      await assert.rejects(repriceInfluxLedger({ ...options, bucket: 'none' }), {
        code: 'BACKEND_REFUSED',
        message: /database not found: none/,
      });
    });
  });
});
