import { ClickHouseUsageReader } from '../../../exporter/clickhouse/read/clickhouse-usage-reader.ts';
import type { UsageRecord } from '../../../src/domain/usage-record.ts';
import { clickHouseTables, requireClickHouse, startClickHouse } from '../../support/clickhouse.ts';
import type { TestServer } from '../../support/servers.ts';
import { usageReaderSuite } from './usage-reader-suite.ts';

/** The suite of readers on a database of this server that is filled in one way or another. */
type ClickHouseSuite = (
  name: string,
  database: string,
  fill: (server: TestServer, records: readonly UsageRecord[]) => Promise<void>,
) => void;

/** Starts a server for the suites that `define` asks for. */
export function onClickHouse(define: (suite: ClickHouseSuite) => void): void {
  describe('on ClickHouse', () => {
    let server: TestServer;

    before(async function () {
      requireClickHouse(this);
      server = await startClickHouse();
    });
    after(async () => await server?.stop());

    define((name, database, fill) => {
      usageReaderSuite(`ClickHouseUsageReader ${name}`, async (records) => {
        await clickHouseTables(server.url, database);
        await fill(server, records);
        const reader = new ClickHouseUsageReader({ url: server.url, database });
        return { reader, close: async () => await reader.close() };
      });
    });
  });
}
