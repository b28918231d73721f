import assert from 'node:assert/strict';
import { InfluxUsageReader } from '../../../exporter/influxdb/read/influx-usage-reader.ts';
import { UsageLineWriter } from '../../../exporter/influxdb/write/lines/usage-line.ts';
import type { UsageRecord } from '../../../src/domain/usage-record.ts';
import { QueryContract } from '../../support/query-contract.ts';
import { requireServer, startInfluxd, type TestServer } from '../../support/servers.ts';
import { usageReaderSuite } from './usage-reader-suite.ts';

const BUCKET = 'llm_metrics';

/** The suite of readers on InfluxDB 1.x, and by the contracts of the others. */
export function onInfluxDb(versions: readonly ('1' | '2' | '3')[]): void {
  describe('on InfluxDB', () => {
    let server: TestServer;
    let isFilled = false;

    before(async function () {
      requireServer(this, 'influxd');
      server = await startInfluxd({ databases: [BUCKET] });
    });
    after(async () => await server?.stop());

    /** Once: each suite reads the same records and writes none. */
    async function fill(records: readonly UsageRecord[]): Promise<void> {
      if (isFilled) return;
      isFilled = true;
      // Two users get a tag a day; the others are known by their field only.
      const lines = new UsageLineWriter({
        tags: { region: 'eu' },
        maxUserTags: 2,
        maxDimensionTags: 10,
        onCleaned() {},
      });
      const response = await fetch(`${server.url}/write?db=${BUCKET}`, {
        method: 'POST',
        body: records.map((record) => String(lines.line(record))).join('\n'),
      });
      assert.equal(response.status, 204, await response.text());
    }

    for (const version of versions) {
      if (version === '1') {
        usageReaderSuite('InfluxUsageReader on InfluxDB 1.x', async (records) => {
          await fill(records);
          const reader = new InfluxUsageReader({ url: server.url, bucket: BUCKET });
          return { reader, close: async () => await reader.close() };
        });
        continue;
      }
      usageReaderSuite(
        `InfluxUsageReader by the contract of InfluxDB ${version}.x`,
        async (records) => {
          await fill(records);
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
            },
          };
        },
      );
    }
  });
}
