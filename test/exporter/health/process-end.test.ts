import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { InfluxOptions } from '../../../exporter/influxdb/influx-options.ts';
import { InfluxUsageProcessor } from '../../../exporter/influxdb/write/influx-usage-processor.ts';
import { ContractServer } from '../../support/contract-server.ts';
import type { AppPlan } from '../../support/exporter-app.ts';
import { runExporterApp } from '../../support/run-exporter-app.ts';
import { until } from '../../support/until.ts';

const FROM = Date.parse('2026-11-01T10:00:00Z');

describe('the end of a process with an exporter', () => {
  let server: ContractServer;
  let directory: string;
  let options: InfluxOptions;

  beforeEach(async () => {
    server = await ContractServer.start('1.8');
    directory = mkdtempSync(join(tmpdir(), 'token-meter-end-'));
    // Late calls would mark their hours.
    options = { url: server.url, bucket: 'usage', spool: { directory }, rollUps: false };
  });
  afterEach(async () => {
    await server.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  const plan = (over: Partial<AppPlan>): AppPlan => ({
    options,
    from: FROM,
    count: 3,
    end: 'nothing',
    ...over,
  });
  /** Starts an exporter that does nothing but take over what others left. */
  const adoptAll = async (count: number): Promise<void> => {
    const next = new InfluxUsageProcessor(options);
    await until(() => next.status().adopted === count && next.status().pending === 0);
    await next.shutdown();
  };

  it('delivers before a script without a shutdown ends by itself', async () => {
    const app = runExporterApp(plan({}));
    assert.deepEqual(await app.ended(), { code: 0, signal: null });
    assert.equal(server.stored.size, 3);
    assert.equal(app.stderr, '');
  });

  it('writes the last records to the spool at process.exit()', async () => {
    const app = runExporterApp(plan({ end: 'exit' }));
    assert.deepEqual(await app.ended(), { code: 0, signal: null });
    assert.equal(server.stored.size, 0);
    await adoptAll(3);
    assert.equal(server.stored.size, 3);
  });

  it('dies of a signal as without it, and keeps the records', async () => {
    const app = runExporterApp(plan({ end: 'stay' }));
    await until(() => app.status !== undefined);
    app.process.kill('SIGTERM');
    assert.deepEqual(await app.ended(), { code: null, signal: 'SIGTERM' });
    assert.equal(server.stored.size, 0);
    await adoptAll(3);
    assert.equal(server.stored.size, 3);
  });

  it('lets a signal end the process although another library listens too', async () => {
    const app = runExporterApp(plan({ end: 'stay', otherListener: true }));
    await until(() => app.status !== undefined);
    app.process.kill('SIGTERM');
    assert.deepEqual(await app.ended(), { code: null, signal: 'SIGTERM' });
    await adoptAll(3);
  });

  it('is not held up by a server that never answers', async () => {
    const deaf = createServer(() => {}).listen(0, '127.0.0.1');
    await new Promise((resolve) => deaf.once('listening', resolve));
    const url = `http://127.0.0.1:${(deaf.address() as AddressInfo).port}`;
    const start = performance.now();
    const app = runExporterApp(plan({ options: { ...options, url, timeoutMs: 60_000 } }));
    assert.deepEqual(await app.ended(), { code: 0, signal: null });
    assert.ok(performance.now() - start < 15_000);
    deaf.close();
  });

  it('works in a worker thread, and another thread takes over what it left', async () => {
    const script = new URL('../../support/exporter-app.ts', import.meta.url);
    const worker = new Worker(script, {
      argv: [JSON.stringify(plan({ end: 'shutdown' }))],
      stdout: true,
    });
    await new Promise((resolve) => worker.once('exit', resolve));
    assert.equal(server.stored.size, 3);
    const left = new Worker(script, {
      argv: [JSON.stringify(plan({ from: FROM + 100, end: 'exit' }))],
    });
    await new Promise((resolve) => left.once('exit', resolve));
    await adoptAll(3);
    assert.equal(server.stored.size, 6);
  });
});
