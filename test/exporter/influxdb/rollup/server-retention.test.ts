import assert from 'node:assert/strict';
import { InfluxUsageReader } from '../../../../exporter/influxdb/read/influx-usage-reader.ts';
import { rollUpInfluxLedger } from '../../../../exporter/influxdb/rollup/influx-roll-up.ts';
import { InfluxUsageProcessor } from '../../../../exporter/influxdb/write/influx-usage-processor.ts';
import { influxExecute } from '../../../support/influx.ts';
import { requireServer, startInfluxd, type TestServer } from '../../../support/servers.ts';
import { until } from '../../../support/until.ts';
import { logOf, usageRecord } from '../../../support/usage-logs.ts';

const HOUR_MS = 3_600_000;

describe('sums in InfluxDB 1.x whose calls the server removes', () => {
  let server: TestServer;

  before(async function () {
    requireServer(this, 'influxd');
    server = await startInfluxd({ databases: ['llm'], retentionCheckMs: 200 });
  });
  after(async () => await server?.stop());

  it('stay, and late calls are dropped', async () => {
    for (const policy of ['calls', 'sums']) {
      await influxExecute(
        server.url,
        `CREATE RETENTION POLICY ${policy} ON llm DURATION INF REPLICATION 1 SHARD DURATION 1h`,
      );
    }
    const own = {
      url: server.url,
      bucket: 'llm/calls',
      rollUpBucket: 'llm/sums',
      spool: false,
    } as const;
    const now = Date.now();
    const hour = Math.floor(now / HOUR_MS) * HOUR_MS;
    // The last one comes late in any minute of the hour.
    const times = [-7, -6, -5, -1.01].map((hours) => hour + hours * HOUR_MS + 1000);
    const processor = new InfluxUsageProcessor(own);
    const reader = new InfluxUsageReader({ ...own, maxAgeMs: 0 });
    try {
      for (const time of times) processor.onEmit(logOf(usageRecord(time)));
      await processor.forceFlush();
      const later = (): number => Date.now() + HOUR_MS;
      await rollUpInfluxLedger({ ...own, now: later });
      await influxExecute(server.url, 'ALTER RETENTION POLICY calls ON llm DURATION 4h');
      await until(async () => (await reader.records()).records.length === 1, 20_000);
      await rollUpInfluxLedger({ ...own, now: later });
      // Longer again: the server takes what the sums have already.
      await influxExecute(server.url, 'ALTER RETENTION POLICY calls ON llm DURATION INF');
      const late = new InfluxUsageProcessor(own);
      late.onEmit(logOf(usageRecord(times[0] ?? 0)));
      late.onEmit(logOf(usageRecord(times[3] ?? 0)));
      await late.forceFlush();
      const { delivered, dropped } = late.status();
      await late.shutdown();
      assert.deepEqual([delivered, dropped], [1, { beyond_retention: 1 }]);
      const { total, missing } = await reader.summary({
        from: new Date(hour - 24 * HOUR_MS),
        to: new Date(now),
      });
      assert.equal(total.calls, 5);
      assert.equal(missing, undefined);
    } finally {
      await processor.shutdown();
      await reader.close();
    }
  });
});
