import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setImmediate as turn } from 'node:timers/promises';
import { UsageLineWriter } from '../../../../exporter/influxdb/write/lines/usage-line.ts';
import { usageRecordFromLog } from '../../../../exporter/ledger/usage-event.ts';
import { InfluxUsageProcessor } from '../../../../exporter/influxdb/write/influx-usage-processor.ts';
import { until } from '../../../support/until.ts';
import { logOf, usageRecord } from '../../../support/usage-logs.ts';

const TEXT = 'x'.repeat(300);

describe('an exporter whose memory is used again and again', () => {
  for (const { place, spool, records } of [
    // More than is kept in memory beside the disk.
    { place: 'on disk', spool: true, records: 80_000 },
    { place: 'in memory', spool: false, records: 15_000 },
  ]) {
    it(`delivers every line as it was written, with its backlog ${place}`, async () => {
      const directory = mkdtempSync(join(tmpdir(), 'token-meter-memory-'));
      const stored = new Set<string>();
      let writes = 0;
      let isHeldUp = true;
      const server = createServer(async (request, response) => {
        const body = await text(request);
        if (request.url?.startsWith('/write')) {
          await until(() => !isHeldUp);
          // Every third write has to be sent again.
          if (writes++ % 3 === 2) {
            response.writeHead(503, { 'retry-after': '0' }).end();
            return;
          }
          for (const line of body.split('\n')) stored.add(line);
        }
        response.writeHead(204).end();
      }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const processor = new InfluxUsageProcessor({
        rollUps: false,
        url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        bucket: 'usage',
        spool: spool && { directory },
      });
      const writer = new UsageLineWriter({
        maxUserTags: 10_000,
        maxDimensionTags: 10,
        onCleaned: () => {},
      });
      const expected = new Set<string>(['']);
      for (let i = 0; i < records; i++) {
        const log = logOf(
          usageRecord('2026-01-01T00:00:00Z', { inputTokens: i, attributes: { text: TEXT } }),
        );
        processor.onEmit(log);
        const record = usageRecordFromLog(log) ?? assert.fail();
        expected.add(String(writer.line(record)));
        if (i % 100 === 0) await turn();
        // The first half waits; the rest comes while it is sent.
        if (i === records / 2) isHeldUp = false;
      }
      await until(async () => {
        await processor.forceFlush();
        return processor.status().delivered === records;
      }, 60_000);
      await processor.shutdown();
      assert.deepEqual(processor.status().dropped, {});
      assert.equal(stored.size, expected.size);
      assert.ok([...stored].every((line) => expected.has(line)));
      server.closeAllConnections();
      server.close();
      rmSync(directory, { recursive: true, force: true });
    });
  }
});
