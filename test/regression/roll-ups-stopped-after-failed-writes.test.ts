import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolveInfluxOptions } from '../../exporter/influxdb/influx-options.ts';
import { RollUpUpkeep } from '../../exporter/influxdb/rollup/roll-up-upkeep.ts';
import { UsageLineWriter } from '../../exporter/influxdb/write/lines/usage-line.ts';
import { influxRows } from '../support/influx.ts';
import { requireServer, startInfluxd, type TestServer } from '../support/servers.ts';
import { until } from '../support/until.ts';
import { usageRecord } from '../support/usage-logs.ts';

/**
 * A process that made roll-ups in InfluxDB made none any more after the server had refused writes for some seconds and
 * answered queries: its writer had given up for good.
 */
describe('roll-ups after writes that failed', () => {
  let server: TestServer;

  before(async function () {
    requireServer(this, 'influxd');
    server = await startInfluxd({ databases: ['llm'] });
  });
  after(async () => await server?.stop());

  it('are made when the server takes writes again', async function () {
    this.timeout(60_000);
    let takesWrites = false;
    let refused = 0;
    const gateway = createServer((request, response) => {
      if (request.url?.startsWith('/write') === true && !takesWrites) {
        refused++;
        request.resume();
        response.writeHead(503).end();
        return;
      }
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { method = 'GET', url = '/', headers } = request;
        const type = headers['content-type'] ?? 'text/plain';
        const body = method === 'GET' ? {} : { body: Buffer.concat(chunks) };
        const forward = async (): Promise<void> => {
          const sent = { method, headers: { 'content-type': type }, ...body };
          const answer = await fetch(server.url + url, sent);
          const text = await answer.text();
          response.writeHead(answer.status, { 'x-influxdb-version': '1.6.7' });
          response.end(answer.status === 204 ? undefined : text);
        };
        forward().catch(() => response.destroy());
      });
    });
    await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(gateway.address() as AddressInfo).port}`;
    const lines = new UsageLineWriter({ maxUserTags: 9, maxDimensionTags: 9, onCleaned() {} });
    const line = String(lines.line(usageRecord(Date.now() - 7_200_000)));
    await fetch(`${server.url}/write?db=llm`, { method: 'POST', body: line });
    const target = resolveInfluxOptions('test', { url, bucket: 'llm', spool: false });
    const upkeep = new RollUpUpkeep(target, { firstMs: 1, intervalMs: 20 });
    try {
      await until(() => refused >= 4, 30_000);
      takesWrites = true;
      await until(async () => {
        const q = 'SELECT count(calls) FROM llm_usage_rollup_hours';
        return (await influxRows(server.url, 'llm', q)).length > 0;
      }, 20_000);
    } finally {
      await upkeep.stop();
      gateway.closeAllConnections();
      gateway.close();
    }
    assert.ok(refused >= 4);
  });
});
