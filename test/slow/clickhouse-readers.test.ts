import assert from 'node:assert/strict';
import { ClickHouseUsageReader } from '../../exporter/clickhouse/read/clickhouse-usage-reader.ts';
import type { UsageRecord } from '../../src/domain/usage-record.ts';
import { usageReaderSuite } from '../conformance/usage-readers/usage-reader-suite.ts';
import {
  clickHouse,
  clickHouseTables,
  fillClickHouse,
  requireClickHouse,
  rollUpClickHouse,
  startClickHouse,
} from '../support/clickhouse.ts';
import type { TestServer } from '../support/servers.ts';

describe('on ClickHouse', () => {
  let server: TestServer;

  before(async function () {
    requireClickHouse(this);
    server = await startClickHouse();
  });
  after(async () => await server?.stop());

  function suite(
    name: string,
    database: string,
    fill: (records: readonly UsageRecord[]) => Promise<void>,
  ): void {
    usageReaderSuite(`ClickHouseUsageReader ${name}`, async (records) => {
      await clickHouseTables(server.url, database);
      await fill(records);
      const reader = new ClickHouseUsageReader({ url: server.url, database });
      return { reader, close: async () => await reader.close() };
    });
  }

  suite('over calls, of which some came twice', 'calls', async (records) => {
    await fillClickHouse(server.url, 'calls', records);
    await fillClickHouse(server.url, 'calls', records.slice(1000));
  });

  suite('over roll-ups', 'sums', async (records) => {
    await fillClickHouse(server.url, 'sums', records);
    await rollUpClickHouse(server.url, 'sums');
    const made = await clickHouse(server.url, 'SELECT sum(calls) FROM sums.llm_usage_hourly FINAL');
    assert.equal(Number(made), records.length);
  });
});
