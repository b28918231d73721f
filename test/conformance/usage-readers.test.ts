import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InfluxUsageReader } from '../../exporter/influxdb/usage-reader.ts';
import { UsageLineWriter } from '../../exporter/lines/usage-line.ts';
import { LedgerFile } from '../../exporter/sqlite/ledger-file.ts';
import { SqliteUsageReader } from '../../exporter/sqlite/usage-reader.ts';
import { requireServer, startInfluxd } from '../support/servers.ts';
import { usageReaderSuite } from './usage-reader-suite.ts';

usageReaderSuite('SqliteUsageReader', async (records) => {
  const folder = mkdtempSync(join(tmpdir(), 'token-meter-reader-'));
  const path = join(folder, 'usage.db');
  const file = new LedgerFile({ path, busyTimeoutMs: 1000 });
  file.write(records);
  const reader = new SqliteUsageReader({ path });
  return await Promise.resolve({
    reader,
    async close() {
      await reader.close();
      file.close();
      rmSync(folder, { recursive: true, force: true });
    },
  });
});

usageReaderSuite('InfluxUsageReader on InfluxDB 1.x', async function (records) {
  requireServer(this, 'influxd');
  const server = await startInfluxd({ databases: ['llm_metrics'] });
  // Two users get a tag a day; the others are known by their field only.
  const lines = new UsageLineWriter({ tags: { region: 'eu' }, maxUserTags: 2, onCleaned() {} });
  const response = await fetch(`${server.url}/write?db=llm_metrics`, {
    method: 'POST',
    body: records.map((record) => lines.line(record)).join('\n'),
  });
  assert.equal(response.status, 204, await response.text());
  const reader = new InfluxUsageReader({ url: server.url, bucket: 'llm_metrics' });
  return {
    reader,
    async close() {
      await reader.close();
      await server.stop();
    },
  };
});
