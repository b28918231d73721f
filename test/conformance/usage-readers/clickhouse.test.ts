import { ClickHouseUsageReader } from '../../../exporter/clickhouse/read/clickhouse-usage-reader.ts';
import type { UsageRecord } from '../../../src/domain/usage-record.ts';
import {
  clickHouseTables,
  fillClickHouse,
  requireClickHouse,
  rollUpClickHouse,
  startClickHouse,
} from '../../support/clickhouse.ts';
import type { TestServer } from '../../support/servers.ts';
import { usageReaderSuite } from './usage-reader-suite.ts';

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

  // test/slow/clickhouse-readers.test.ts has the calls alone, and the roll-ups alone.
  suite('over roll-ups, into which calls came late, and some twice', 'late', async (records) => {
    const late = records.filter((_, index) => index % 7 === 3);
    const inTime = records.filter((_, index) => index % 7 !== 3);
    await fillClickHouse(server.url, 'late', inTime);
    await rollUpClickHouse(server.url, 'late');
    await fillClickHouse(server.url, 'late', [...late, ...inTime.slice(15_000)]);
  });
});
