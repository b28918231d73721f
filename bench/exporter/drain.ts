import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runExporterApp } from '../../test/support/run-exporter-app.ts';
import { startInfluxd } from '../../test/support/servers.ts';

/** Measures how fast a backlog drains after an outage, and the memory needed. */
export async function drain(records: number): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'token-meter-bench-'));
  const server = await startInfluxd({ databases: ['usage'] });
  await server.kill();
  const app = runExporterApp({
    options: { url: server.url, bucket: 'usage', spool: { directory } },
    from: Date.parse('2026-01-01T00:00:00Z'),
    count: records,
    perSecond: 10_000,
    end: 'stay',
  });
  while (app.status === undefined || app.status.accepted < 1000) await sleep(50);
  const before = app.status.rss;
  while (app.status.accepted < records) {
    await sleep(50);
    if (Object.keys(app.status.dropped).length > 0) throw new Error(JSON.stringify(app.status));
  }
  const filled = app.maxRss - before;
  await server.restart();
  while (app.status.delivered === 0) await sleep(10);
  const [start, delivered] = [performance.now(), app.status.delivered];
  while (app.status.delivered < records) await sleep(10);
  const perSecond = ((records - delivered) / (performance.now() - start)) * 1000;
  const drained = app.maxRss - before;
  const megabytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(0);
  console.log(
    `\nbacklog of ${records} records in the spool, InfluxDB 1.x: drained at ${Math.round(perSecond)} records/s, resident set at most ${megabytes(filled)} MB (filling) and ${megabytes(drained)} MB (overall) above the first 1000 records, dropped ${JSON.stringify(app.status.dropped)}`,
  );
  app.process.kill('SIGTERM');
  await app.ended();
  await server.stop();
  rmSync(directory, { recursive: true, force: true });
}
