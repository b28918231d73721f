import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { destinationFolder } from '../../../../exporter/delivery/destination-folder.ts';
import type { InfluxOptions } from '../../../../exporter/influxdb/influx-options.ts';
import { eraseInfluxUser } from '../../../../exporter/influxdb/erase/influx-erase.ts';
import { InfluxUsageReader } from '../../../../exporter/influxdb/read/influx-usage-reader.ts';
import { InfluxUsageProcessor } from '../../../../exporter/influxdb/write/influx-usage-processor.ts';
import { influxExecute } from '../../../support/influx.ts';
import { requireServer, startInfluxd, type TestServer } from '../../../support/servers.ts';
import { until } from '../../../support/until.ts';
import { logOf, usageRecord } from '../../../support/usage-logs.ts';

const USER = 'o"Brien\\x, user="z", =1';

describe('lines of an erased user that wait for InfluxDB', () => {
  let influxd: TestServer;
  let directory: string;
  const T0 = Date.now() - 60_000;
  const waiting = [
    usageRecord(T0, { userId: USER, attributes: { note: 'x,user="bob"' } }),
    usageRecord(T0 + 1, { userId: 'bob', attributes: { note: `,user="${USER}"` } }),
    usageRecord(T0 + 2, { attributes: { note: 'two\nlines' } }),
  ];

  before(function () {
    requireServer(this, 'influxd');
  });
  beforeEach(async () => {
    influxd = await startInfluxd({ databases: ['usage'] });
    directory = mkdtempSync(join(tmpdir(), 'token-meter-erased-'));
  });
  afterEach(async () => {
    await influxd.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  const options = (over: Partial<InfluxOptions> = {}): InfluxOptions => ({
    url: influxd.url,
    bucket: 'usage',
    version: '1',
    spool: { directory },
    rollUps: false,
    flushIntervalMs: 600_000,
    batchSize: 1000,
    ...over,
  });

  async function users(): Promise<readonly string[]> {
    const reader = new InfluxUsageReader({ url: influxd.url, bucket: 'usage', version: '1' });
    const { records } = await reader.records({ limit: 100 });
    await reader.close();
    return records.map(({ userId = '' }) => userId).toSorted((a, b) => (a < b ? -1 : 1));
  }

  /** What others left is delivered by a new process, but for the erased user's. */
  async function assertAdoptedWithoutErased(over: Partial<InfluxOptions> = {}): Promise<void> {
    const next = new InfluxUsageProcessor(options({ ...over, batchSize: 1 }));
    await until(() => next.status().adopted === 3);
    await next.forceFlush();
    await until(() => next.status().pending === 0);
    assert.deepEqual(await users(), ['', 'bob']);
    assert.deepEqual(next.status().dropped, { erased: 1 });
    await next.shutdown();
  }

  const erase = async (): Promise<unknown> => await eraseInfluxUser({ ...options(), userId: USER });

  const notes = (): readonly string[] =>
    readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('erased-users.json'),
    );

  it('are not sent, and are counted; those of others and later ones are', async () => {
    const processor = new InfluxUsageProcessor(options());
    for (const record of waiting) processor.onEmit(logOf(record));
    await until(() => processor.status().pending === 3);
    await erase();
    assert.doesNotMatch(readFileSync(join(directory, notes()[0]!), 'utf8'), /Brien/);
    processor.onEmit(logOf(usageRecord(Date.now() + 1000, { userId: USER })));
    await processor.forceFlush();
    assert.deepEqual(await users(), ['', 'bob', USER]);
    const { delivered, dropped } = processor.status();
    assert.deepEqual([delivered, dropped], [3, { erased: 1 }]);
    await processor.shutdown();
  });

  it('do not come back with a batch that is tried again', async () => {
    const processor = new InfluxUsageProcessor(options({ batchSize: 1 }));
    await influxd.kill();
    for (const record of waiting) processor.onEmit(logOf(record));
    await until(() => processor.status().retries > 0);
    await influxd.restart();
    await erase();
    await processor.forceFlush();
    await until(() => processor.status().pending === 0);
    assert.deepEqual(await users(), ['', 'bob']);
    await processor.shutdown();
  });

  it('do not come back with what a dead process has left', async () => {
    await influxd.kill();
    const dead = new InfluxUsageProcessor(options({ timeoutMs: 200 }));
    for (const record of waiting) dead.onEmit(logOf(record));
    await dead.shutdown();
    await influxd.restart();
    await erase();
    await assertAdoptedWithoutErased();
  });

  it('do not come back with a write that a gateway passes on after its writer gave up', async () => {
    const passedOn = Promise.withResolvers<void>();
    let isFirst = true;
    const gateway = createServer((request, response) => {
      void (async () => {
        const chunks: Buffer[] = [];
        for await (const chunk of request) chunks.push(chunk as Buffer);
        const isHeld = isFirst && request.url?.startsWith('/write') === true;
        if (isHeld) {
          isFirst = false;
          await passedOn.promise;
        }
        const { method = 'GET', url = '/', headers } = request;
        const answer = await fetch(influxd.url + url, {
          method,
          headers: { 'content-type': headers['content-type'] ?? 'text/plain' },
          ...(method === 'POST' && { body: Buffer.concat(chunks) }),
        });
        response.writeHead(answer.status);
        response.end(Buffer.from(await answer.arrayBuffer()));
      })();
    });
    await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(gateway.address() as AddressInfo).port}`;
    const processor = new InfluxUsageProcessor(options({ url, batchSize: 3, timeoutMs: 300 }));
    for (const record of waiting) processor.onEmit(logOf(record));
    await until(() => processor.status().retries > 0);
    const erasure = eraseInfluxUser({ ...options({ url }), userId: USER });
    await until(() => notes().length > 0);
    passedOn.resolve();
    const { found, erased, mayRemain } = await erasure;
    assert.equal(erased, found);
    assert.match(mayRemain.join('\n'), /^usage: writes that had no answer/);
    await processor.shutdown();
    assert.deepEqual(await users(), ['', 'bob']);
    gateway.closeAllConnections();
    gateway.close();
  });

  it('are those of their host, however it is spelled', async () => {
    await influxd.kill();
    const { port } = new URL(influxd.url);
    const spelled = `http://LOCALHOST:${port}`;
    const dead = new InfluxUsageProcessor(
      options({ url: `http://localhost:${port}`, timeoutMs: 200 }),
    );
    for (const record of waiting) dead.onEmit(logOf(record));
    await dead.shutdown();
    const [folder = ''] = readdirSync(directory);
    // As an earlier release would have named it.
    const identity = [spelled, '', 'usage'];
    const former = destinationFolder({ name: 'usage', identity }, { directory });
    renameSync(join(directory, folder), former);
    await influxd.restart();
    await eraseInfluxUser({ ...options({ url: spelled }), userId: USER });
    const first = new InfluxUsageProcessor(options({ url: spelled }));
    const owners = (): number =>
      readdirSync(former, { withFileTypes: true }).filter((entry) => entry.isDirectory()).length;
    await until(() => owners() === 0);
    await first.shutdown();
    await assertAdoptedWithoutErased({ url: spelled });
  });

  it('are not sent once there is a database', async () => {
    const later = options({ bucket: 'later', batchSize: 1 });
    const processor = new InfluxUsageProcessor(later);
    for (const record of waiting) processor.onEmit(logOf(record));
    await until(() => processor.status().lastError !== undefined);
    await assert.rejects(eraseInfluxUser({ ...later, userId: USER }), /database not found/);
    await influxExecute(influxd.url, 'CREATE DATABASE later');
    await processor.forceFlush();
    await until(() => processor.status().pending === 0);
    assert.deepEqual(processor.status().dropped, { erased: 1 });
    await processor.shutdown();
  });

  it('need no note where nothing was ever kept', async () => {
    await erase();
    assert.equal(existsSync(directory) && notes().length > 0, false);
  });
});
