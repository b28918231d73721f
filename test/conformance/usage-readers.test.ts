import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InfluxUsageReader } from '../../exporter/influxdb/read/influx-usage-reader.ts';
import { UsageLineWriter } from '../../exporter/influxdb/write/lines/usage-line.ts';
import { LedgerFile } from '../../exporter/sqlite/write/ledger-file.ts';
import { SqliteUsageReader } from '../../exporter/sqlite/read/sqlite-usage-reader.ts';
import type { UsageRecord } from '../../src/domain/usage-record.ts';
import { QueryContract } from '../support/query-contract.ts';
import { requireServer, startInfluxd, type TestServer } from '../support/servers.ts';
import { usageReaderSuite } from './usage-reader-suite.ts';

const BUCKET = 'llm_metrics';

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

async function filledInfluxd(
  test: Mocha.Context,
  records: readonly UsageRecord[],
): Promise<TestServer> {
  requireServer(test, 'influxd');
  const server = await startInfluxd({ databases: [BUCKET] });
  // Two users get a tag a day; the others are known by their field only.
  const lines = new UsageLineWriter({ tags: { region: 'eu' }, maxUserTags: 2, onCleaned() {} });
  const response = await fetch(`${server.url}/write?db=${BUCKET}`, {
    method: 'POST',
    body: records.map((record) => String(lines.line(record))).join('\n'),
  });
  assert.equal(response.status, 204, await response.text());
  return server;
}

usageReaderSuite('InfluxUsageReader on InfluxDB 1.x', async function (records) {
  const server = await filledInfluxd(this, records);
  const reader = new InfluxUsageReader({ url: server.url, bucket: BUCKET });
  return {
    reader,
    async close() {
      await reader.close();
      await server.stop();
    },
  };
});

for (const version of ['2', '3'] as const) {
  usageReaderSuite(
    `InfluxUsageReader by the contract of InfluxDB ${version}.x`,
    async function (records) {
      const server = await filledInfluxd(this, records);
      const contract = await QueryContract.start(version, server.url);
      const { url, token } = contract;
      // 3.x is asked for the 90 days before now where a query names no start.
      const now = (): number => Date.parse('2026-10-30');
      const reader = new InfluxUsageReader({ url, bucket: BUCKET, org: 'acme', token, now });
      return {
        reader,
        async close() {
          await reader.close();
          await contract.stop();
          await server.stop();
        },
      };
    },
  );
}
