import assert from 'node:assert/strict';
import { InfluxUsageReader } from '../../../../exporter/influxdb/read/influx-usage-reader.ts';
import { UsageLineWriter } from '../../../../exporter/influxdb/write/lines/usage-line.ts';
import { influxExecute } from '../../../support/influx.ts';
import { QueryContract } from '../../../support/query-contract.ts';
import { requireServer, startInfluxd, type TestServer } from '../../../support/servers.ts';
import { usageRecord } from '../../../support/usage-logs.ts';

const T0 = Date.parse('2026-11-01T10:00:00Z');
const QUERY = { from: new Date('2026-11-01'), to: new Date('2026-11-02') };

describe('InfluxUsageReader and the rights of a token of InfluxDB 2.x', () => {
  let influxd: TestServer;
  let contract: QueryContract;

  before(async function () {
    requireServer(this, 'influxd');
    influxd = await startInfluxd({ databases: ['usage', 'a'] });
    await influxExecute(
      influxd.url,
      'CREATE RETENTION POLICY "b" ON "a" DURATION INF REPLICATION 1',
    );
    const lines = new UsageLineWriter({
      tags: { region: 'eu' },
      maxUserTags: 2,
      maxDimensionTags: 10,
      onCleaned() {},
    });
    const body = String(
      lines.line(usageRecord(T0, { userId: 'alice', attributes: { team: 'x' } })),
    );
    for (const where of ['db=usage', 'db=a&rp=b']) {
      const response = await fetch(`${influxd.url}/write?${where}`, { method: 'POST', body });
      assert.equal(response.status, 204, await response.text());
    }
  });
  after(async () => await influxd?.stop());
  beforeEach(async () => {
    contract = await QueryContract.start('2', influxd.url);
    contract.buckets = [
      { name: 'usage', org: 'acme' },
      { name: 'a/b', org: 'acme' },
    ];
  });
  afterEach(async () => await contract?.stop());

  const reading = async <T>(
    over: { token?: string; org?: string; bucket?: string },
    ask: (reader: InfluxUsageReader) => Promise<T>,
  ): Promise<T> => {
    const { url, token } = contract;
    const reader = new InfluxUsageReader({ url, token, org: 'acme', bucket: 'usage', ...over });
    try {
      return await ask(reader);
    } finally {
      await reader.close();
    }
  };
  const calls = async (reader: InfluxUsageReader): Promise<number> =>
    (await reader.summary(QUERY)).total.calls;

  it('reads sums and records of a bucket with a slash in its name', async () => {
    await reading({ bucket: 'a/b' }, async (reader) => {
      assert.equal(await calls(reader), 1);
      const { records } = await reader.records();
      // The tag `region` is the exporter's own, not an attribute of the call.
      assert.deepEqual(
        records.map(({ userId, attributes }) => [userId, attributes]),
        [['alice', { team: 'x' }]],
      );
    });
  });

  it('sends values beside the query', async () => {
    await reading({}, async (reader) => {
      await reader.summary({ ...QUERY, filter: { user: "o'Brien\r" } });
    });
    const query = contract.queries.find((one) => String(one.get('q')).includes('"llm_usage"'));
    assert.ok(query);
    assert.ok(!String(query.get('q')).includes('Brien'));
    assert.deepEqual(Object.values(JSON.parse(query.get('params') ?? '{}') as object), [
      "o'Brien\r",
    ]);
  });

  it('refuses to read another organisation’s bucket of the same name', async () => {
    contract.buckets = [...contract.buckets, { name: 'usage', org: 'other' }];
    contract.tokens.set('operator', { org: 'acme', reads: true, writes: true, isOperator: true });
    await reading({ token: 'operator', org: 'other' }, async (reader) => {
      await assert.rejects(calls(reader), {
        code: 'BACKEND_REFUSED',
        message: /bucket usage in several organisations.*token made in organisation other/,
      });
      await assert.rejects(reader.records(), { code: 'BACKEND_REFUSED' });
    });
    assert.deepEqual(contract.queries, []);
    contract.buckets = [{ name: 'usage', org: 'acme' }];
    await reading({ org: 'elsewhere' }, async (reader) => {
      await assert.rejects(calls(reader), {
        message: /bucket usage belongs to another organisation than elsewhere/,
      });
    });
    // One bucket of the name, and in this organisation: there is nothing to mistake it for.
    await reading({ token: 'operator' }, async (reader) => assert.equal(await calls(reader), 1));
  });

  it('says what a token lacks', async () => {
    contract.tokens.set('writer', { org: 'acme', writes: true });
    contract.tokens.set('nothing', { org: 'acme' });
    await reading({ token: 'writer' }, async (reader) => {
      const message = /this token may write and not read bucket usage of organisation acme/;
      await assert.rejects(calls(reader), { code: 'BACKEND_REFUSED', message });
      await assert.rejects(reader.records(), { message });
    });
    await reading({ token: 'writer', bucket: 'a/b' }, async (reader) => {
      await assert.rejects(calls(reader), { message: /may write and not read bucket a\/b/ });
    });
    await reading({ token: 'nothing' }, async (reader) => {
      await assert.rejects(calls(reader), { message: /may neither read nor write bucket usage/ });
    });
    await reading({ bucket: 'none' }, async (reader) => {
      await assert.rejects(calls(reader), {
        message: /there is no bucket none of organisation acme/,
      });
    });
  });

  it('reads again once the token has got its rights', async () => {
    contract.tokens.set('writer', { org: 'acme', writes: true });
    await reading({ token: 'writer' }, async (reader) => {
      await assert.rejects(calls(reader), { code: 'BACKEND_REFUSED' });
      contract.tokens.set('writer', { org: 'acme', writes: true, reads: true });
      assert.equal(await calls(reader), 1);
    });
  });
});

describe('InfluxUsageReader and what a server quotes', () => {
  it('leaves the values of a filter out of the error', async () => {
    const { createServer } = await import('node:http');
    const server = createServer((request, response) => {
      request.resume();
      if (request.url === '/ping') {
        response.writeHead(204, { 'x-influxdb-version': '1.8.10' }).end();
        return;
      }
      response.writeHead(400, { 'content-type': 'application/json' });
      response.end('{"error":"partial result near \\"alice@example.org\\""}');
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    const reader = new InfluxUsageReader({ url: `http://127.0.0.1:${port}`, bucket: 'usage' });
    await assert.rejects(
      reader.summary({ ...QUERY, filter: { user: 'alice@example.org', model: 'm' } }),
      (error: Error) =>
        /InfluxDB refused the query/.test(error.message) && !/alice/.test(error.message),
    );
    await reader.close();
    server.closeAllConnections();
    server.close();
  });
});
