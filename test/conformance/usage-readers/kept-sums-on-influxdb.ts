import assert from 'node:assert/strict';
import { eraseInfluxUser } from '../../../exporter/influxdb/erase/influx-erase.ts';
import { InfluxUsageReader } from '../../../exporter/influxdb/read/influx-usage-reader.ts';
import { repriceInfluxLedger } from '../../../exporter/influxdb/reprice/influx-reprice.ts';
import { rollUpInfluxLedger } from '../../../exporter/influxdb/rollup/influx-roll-up.ts';
import { InfluxUsageProcessor } from '../../../exporter/influxdb/write/influx-usage-processor.ts';
import { UsageLineWriter } from '../../../exporter/influxdb/write/lines/usage-line.ts';
import { influxExecute } from '../../support/influx.ts';
import { QueryContract } from '../../support/query-contract.ts';
import { requireServer, startInfluxd, type TestServer } from '../../support/servers.ts';
import { logOf } from '../../support/usage-logs.ts';
import {
  KEPT_FROM,
  keptSumsSuite,
  type LedgerOfKeptSums,
  NOW_MS,
  RECORDS,
  START_MS,
} from './kept-sums-suite.ts';
import type { ReaderUnderTest } from './usage-reader-suite.ts';
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

type Place = 'policy' | 'database' | 'contract2' | 'contract3';

const PLACES = {
  policy: { isPolicy: true },
  database: { isPolicy: false },
  contract2: { isPolicy: false, version: '2' },
  contract3: { isPolicy: false, version: '3' },
} as const;
const NAMES: Readonly<Record<Place, string>> = {
  policy: 'InfluxDB 1.x, with sums in another retention policy',
  database: 'InfluxDB 1.x, with sums in another database',
  contract2: 'another bucket, by the contract of InfluxDB 2.x',
  contract3: 'another bucket, by the contract of InfluxDB 3.x',
};

/** The suite for ledgers whose sums are in these places. */
export function keptSumsOnInfluxdb(places: readonly Place[]): void {
  describe('on InfluxDB', () => {
    let server: TestServer;
    let count = 0;

    before(async function () {
      requireServer(this, 'influxd');
      server = await startInfluxd();
    });
    after(async () => await server?.stop());

    for (const place of places) {
      keptSumsSuite(NAMES[place], {
        usersBy: 'hour',
        usersByLocalDay: true,
        openWhole,
        open: async () => await influxLedger(PLACES[place]),
      });
    }

    async function fill(bucket: string): Promise<void> {
      const { url } = server;
      await influxExecute(url, `CREATE DATABASE ${bucket}`);
      const lines = new UsageLineWriter({ maxUserTags: 2, maxDimensionTags: 2, onCleaned() {} });
      const body = RECORDS.map((record) => String(lines.line(record))).join('\n');
      const { status } = await fetch(`${url}/write?db=${bucket}`, { method: 'POST', body });
      assert.equal(status, 204);
    }

    async function openWhole(): Promise<ReaderUnderTest> {
      const bucket = `whole_${++count}`;
      await fill(bucket);
      const access = { url: server.url, bucket, now: (): number => NOW_MS };
      await rollUpInfluxLedger(access);
      const reader = new InfluxUsageReader({ ...access, maxAgeMs: 0 });
      return { reader, close: async () => await reader.close() };
    }

    async function influxLedger({
      isPolicy,
      version,
    }: {
      readonly isPolicy: boolean;
      readonly version?: '2' | '3';
    }): Promise<LedgerOfKeptSums> {
      const { url } = server;
      const bucket = `kept_${++count}`;
      const rollUpBucket = isPolicy ? `${bucket}/sums` : `${bucket}_sums`;
      await fill(bucket);
      await influxExecute(
        url,
        isPolicy
          ? `CREATE RETENTION POLICY sums ON ${bucket} DURATION INF REPLICATION 1`
          : `CREATE DATABASE ${rollUpBucket}`,
      );
      const contract = version && (await QueryContract.start(version, url));
      if (contract)
        contract.buckets = [bucket, rollUpBucket].map((name) => ({ name, org: 'acme' }));
      const access = {
        url: contract?.url ?? url,
        bucket,
        rollUpBucket,
        ...(contract && { org: 'acme', token: contract.token }),
      };
      let nowMs = NOW_MS;
      const now = (): number => nowMs;
      const deleteFrom = async (db: string, from: string, before: string): Promise<void> => {
        const query = new URLSearchParams({
          db,
          q: `DELETE FROM ${from} WHERE time < '${before}'`,
        });
        const response = await fetch(`${url}/query`, { method: 'POST', body: query });
        assert.doesNotMatch(await response.text(), /error/);
      };
      const range = { from: new Date(START_MS), to: new Date(NOW_MS) };
      const upkeep = async (): Promise<unknown> =>
        await rollUpInfluxLedger({ ...access, ...range, now });
      await upkeep();
      // As retention does it: the oldest first.
      await deleteFrom(bucket, 'llm_usage', KEPT_FROM);
      await upkeep();
      if (version === '3') {
        // Written each day; the exporter, whose clock is that of the process, asks 3.x for the last 400.
        const first = Math.floor(START_MS / HOUR_MS) * HOUR_MS;
        const kept = `first=${first}i,kept=${Date.parse(KEPT_FROM)}i,at=${Date.now()}i`;
        const line = `llm_usage_rollup_kept,ledger=${bucket} ${kept} ${Date.now()}000000`;
        await fetch(`${url}/write?db=${rollUpBucket}`, { method: 'POST', body: line });
      }
      const reader = new InfluxUsageReader({ ...access, now, maxAgeMs: 0 });
      return {
        reader,
        async write(records) {
          const processor = new InfluxUsageProcessor({ ...access, spool: false });
          for (const record of records) processor.onEmit(logOf(record));
          await processor.forceFlush();
          const { delivered, dropped } = processor.status();
          await processor.shutdown();
          // Late calls have rested by then.
          nowMs = Date.now() + DAY_MS;
          return { stored: delivered, expired: dropped['beyond_retention'] ?? 0 };
        },
        reprice: async (costUsd) =>
          await repriceInfluxLedger({ ...access, now, costOf: () => costUsd }),
        verify: async () =>
          (await rollUpInfluxLedger({ ...access, ...range, now, verify: true })).wrong,
        upkeep,
        ...(version !== '3' && {
          erase: async (userId: string) => await eraseInfluxUser({ ...access, userId }),
        }),
        async removeSumsBefore(day) {
          const db = isPolicy ? bucket : rollUpBucket;
          await deleteFrom(db, '/llm_usage_rollup_(hours|days|marks)/', day);
        },
        async close() {
          await reader.close();
          await contract?.stop();
        },
      };
    }
  });
}
