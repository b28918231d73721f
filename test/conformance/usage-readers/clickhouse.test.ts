import { ClickHouseUsageReader } from '../../../exporter/clickhouse/read/clickhouse-usage-reader.ts';
import {
  clickHouseTables,
  fillClickHouse,
  requireClickHouse,
  startClickHouse,
} from '../../support/clickhouse.ts';
import { usageReaderSuite } from './usage-reader-suite.ts';

usageReaderSuite('ClickHouseUsageReader', async function (records) {
  requireClickHouse(this);
  const server = await startClickHouse();
  await clickHouseTables(server.url, 'llm');
  await fillClickHouse(server.url, 'llm', records);
  // A resend that was cut otherwise: each call is there twice until the server merges.
  await fillClickHouse(server.url, 'llm', records.slice(1000));
  const reader = new ClickHouseUsageReader({ url: server.url, database: 'llm' });
  return {
    reader,
    async close() {
      await reader.close();
      await server.stop();
    },
  };
});
