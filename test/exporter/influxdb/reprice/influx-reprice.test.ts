import assert from 'node:assert/strict';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  repriceInfluxLedger,
  type InfluxRepriceOptions,
} from '../../../../exporter/influxdb/reprice/influx-reprice.ts';
import { InfluxUsageReader } from '../../../../exporter/influxdb/read/influx-usage-reader.ts';
import type { RepriceResult } from '../../../../exporter/ledger/reprice-tally.ts';
import { influxExecute } from '../../../support/influx.ts';
import {
  DAY_MS,
  FROM,
  ledgerToReprice,
  RANGE,
  repriced,
  sum,
  unpriced,
} from '../../../support/ledger-to-reprice.ts';
import { QueryContract } from '../../../support/query-contract.ts';
import { mixedRecords } from '../../../support/usage-ledger.ts';

/** More than one week. test/gate/influx-reprice.test.ts has more than one batch. */
const FEW = mixedRecords(1500, FROM, FROM + 17 * DAY_MS);

describe('repriceInfluxLedger', function () {
  this.timeout(60_000);
  const ledger = ledgerToReprice();
  const { post, points, fill } = ledger;

  beforeEach(async () => await fill(FEW));

  it('changes nothing when it only tells, and nothing outside of its range', async () => {
    const before = await points();
    const all = await repriceInfluxLedger({ ...ledger.options, dryRun: true });
    assert.deepEqual([all.calls, all.changed > 200], [FEW.length, true]);
    assert.deepEqual(await points(), before);
    const [from, to] = [new Date(FROM + 2 * DAY_MS), new Date(FROM + 3 * DAY_MS)];
    const day = await repriceInfluxLedger({ ...ledger.options, from, to });
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
      const contract = await QueryContract.start(version, ledger.influxd.url);
      contract.buckets = [{ name: 'usage', org: 'acme' }];
      const { url, token } = contract;
      const result = await repriceInfluxLedger({
        ...ledger.options,
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
          const answer = await fetch(ledger.influxd.url + request.url, {
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
        ...ledger.options,
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
    const wanted = await repriceInfluxLedger({ ...ledger.options, ...range, dryRun: true });
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
    const reader = new InfluxUsageReader({ url: ledger.influxd.url, bucket: 'usage' });
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
    await influxExecute(ledger.influxd.url, 'CREATE DATABASE "empty"');
    assert.equal((await repriceInfluxLedger({ ...ledger.options, bucket: 'empty' })).calls, 0);
    await assert.rejects(repriceInfluxLedger({ ...ledger.options, bucket: 'none' }), {
      code: 'BACKEND_REFUSED',
      message: /database not found: none/,
    });
  });
});
