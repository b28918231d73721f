import assert from 'node:assert/strict';
import { InfluxUsageReader } from '../../exporter/influxdb/read/influx-usage-reader.ts';
import { UsageLineWriter } from '../../exporter/influxdb/write/lines/usage-line.ts';
import { requireServer, startInfluxd, type TestServer } from '../support/servers.ts';
import { usageRecord } from '../support/usage-logs.ts';

/** The day of the last time that InfluxDB knows ends after it: roll-ups were asked for up to there, and refused. */
describe('a range on InfluxDB that ends with the last nanosecond of 64 bits', () => {
  let server: TestServer;

  before(async function () {
    requireServer(this, 'influxd');
    server = await startInfluxd({ databases: ['llm'] });
  });
  after(async () => await server?.stop());

  it('is summed up', async () => {
    const lines = new UsageLineWriter({ maxUserTags: 9, maxDimensionTags: 9, onCleaned() {} });
    const body = String(lines.line(usageRecord(Date.parse('2026-10-20T10:00:00Z'))));
    await fetch(`${server.url}/write?db=llm`, { method: 'POST', body });
    const reader = new InfluxUsageReader({ url: server.url, bucket: 'llm' });
    try {
      const { total } = await reader.summary({ from: new Date(0), to: new Date('2262-04-12') });
      assert.equal(total.calls, 1);
    } finally {
      await reader.close();
    }
  });
});
