import assert from 'node:assert/strict';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { InfluxUsageReader } from '../../../../exporter/influxdb/read/influx-usage-reader.ts';
import { influxExecute } from '../../../support/influx.ts';
import { QueryContract } from '../../../support/query-contract.ts';
import {
  requireServer,
  startInfluxd,
  startVictoriaMetrics,
  type TestServer,
} from '../../../support/servers.ts';
import { until } from '../../../support/until.ts';

const QUERY = { from: new Date('2026-11-01'), to: new Date('2026-11-02') };

async function answering(
  handle: (url: string, response: ServerResponse) => void,
): Promise<{ server: Server; url: string }> {
  const server = createServer((request, response) => {
    request.resume();
    if (request.url === '/ping') {
      response.writeHead(204, { 'x-influxdb-version': '1.8.10' }).end();
    } else {
      handle(request.url ?? '', response);
    }
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

describe('InfluxUsageReader when something is wrong', () => {
  let influxd: TestServer;

  before(async function () {
    requireServer(this, 'influxd');
    influxd = await startInfluxd({ auth: true });
    await influxExecute(influxd.url, `CREATE USER root WITH PASSWORD 'p4ss' WITH ALL PRIVILEGES`);
    const root = `Basic ${Buffer.from('root:p4ss').toString('base64')}`;
    await influxExecute(influxd.url, 'CREATE DATABASE usage', root);
  });
  after(async () => await influxd?.stop());

  it('is let in by user and password, and answers an empty ledger', async () => {
    const reader = new InfluxUsageReader({
      url: influxd.url,
      bucket: 'usage',
      username: 'root',
      password: 'p4ss',
    });
    assert.equal((await reader.summary({ ...QUERY, distinct: true })).total.calls, 0);
    assert.deepEqual(await reader.records(), { records: [] });
    await reader.close();
  });

  it('is refused with wrong credentials, without telling them', async () => {
    const options = { url: influxd.url, bucket: 'usage', username: 'root', password: 'wr0ng' };
    const reader = new InfluxUsageReader(options);
    await assert.rejects(reader.summary(QUERY), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'BACKEND_REFUSED');
      assert.match(error.message, /authorization failed/);
      assert.ok(!error.message.includes('wr0ng'));
      return true;
    });
    await reader.close();
  });

  it('says which database is missing', async () => {
    const reader = new InfluxUsageReader({
      url: influxd.url,
      bucket: 'none',
      username: 'root',
      password: 'p4ss',
    });
    await assert.rejects(reader.records(), {
      code: 'BACKEND_REFUSED',
      message: /database not found: none/,
    });
    await reader.close();
  });

  it('is refused by the contracts of 2.x and 3.x without their token', async () => {
    for (const version of ['2', '3'] as const) {
      const contract = await QueryContract.start(version, influxd.url);
      const reader = new InfluxUsageReader({
        url: contract.url,
        bucket: 'usage',
        token: 'other',
        version,
      });
      await assert.rejects(reader.summary(QUERY), { code: 'BACKEND_REFUSED', message: /auth/i });
      await reader.close();
      await contract.stop();
    }
  });

  it('does not take the list of databases for an answer that VictoriaMetrics gives to any query', async function () {
    requireServer(this, 'victoria-metrics');
    const victoria = await startVictoriaMetrics();
    const reader = new InfluxUsageReader({ url: victoria.url, bucket: 'usage' });
    const asks = [
      () => reader.summary(QUERY),
      () => reader.records(),
      () => reader.conversation('c'),
    ];
    for (const ask of asks) {
      await assert.rejects(ask(), { code: 'BACKEND_REFUSED', message: /InfluxQL/ });
    }
    await reader.close();
    await victoria.stop();
  });

  it('fails when nobody listens, and works once somebody does', async () => {
    const { server, url } = await answering((_, response) => {
      response.end('{"results":[{"statement_id":0}]}\n');
    });
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    const reader = new InfluxUsageReader({ url, bucket: 'usage' });
    await assert.rejects(reader.summary(QUERY), {
      code: 'BACKEND_UNREACHABLE',
      message: /127\.0\.0\.1:\d+ does not answer/,
    });
    server.listen(Number(new URL(url).port), '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    assert.equal((await reader.summary(QUERY)).total.calls, 0);
    await reader.close();
    server.close();
  });

  it('gives up a server that falls silent, or whose answer is cut', async () => {
    let mode: 'silent' | 'cut' | 'html' = 'silent';
    const { server, url } = await answering((_, response) => {
      response.write('{"results":[{"statement_id":0,"series":[');
      if (mode === 'cut') response.destroy();
      if (mode === 'html') response.end('<html>');
    });
    const reader = new InfluxUsageReader({ url, bucket: 'usage', timeoutMs: 200 });
    await assert.rejects(reader.summary(QUERY), {
      code: 'BACKEND_UNREACHABLE',
      message: /too long/,
    });
    mode = 'cut';
    await assert.rejects(reader.summary(QUERY), { code: 'BACKEND_UNREACHABLE' });
    mode = 'html';
    await assert.rejects(reader.summary(QUERY), { code: 'BACKEND_REFUSED', message: /no JSON/ });
    await reader.close();
    server.closeAllConnections();
    server.close();
  });

  it('ends the request at the server when it is aborted or closed', async () => {
    let asked = 0;
    const closed: string[] = [];
    const { server, url } = await answering((path, response) => {
      asked++;
      response.once('close', () => closed.push(path));
      response.write('{"results":[{"statement_id":0}]}\n');
    });
    const reader = new InfluxUsageReader({ url, bucket: 'usage' });
    const controller = new AbortController();
    // No roll-up has these keys: one request.
    const query = { ...QUERY, groupBy: ['user', 'model'] as const, signal: controller.signal };
    const answer = reader.summary(query);
    void until(() => asked === 1).then(() => controller.abort(new Error('enough')));
    await assert.rejects(answer, { message: 'enough' });
    await until(() => closed.length === 1);
    const other = reader.records();
    void until(() => asked === 2).then(() => reader.close());
    await assert.rejects(other, { code: 'BACKEND_UNREACHABLE', message: /closed/ });
    await until(() => closed.length === 2);
    server.close();
  });
});
