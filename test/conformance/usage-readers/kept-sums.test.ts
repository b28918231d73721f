import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eraseClickHouseUser } from '../../../exporter/clickhouse/erase/clickhouse-erase.ts';
import { ClickHouseUsageReader } from '../../../exporter/clickhouse/read/clickhouse-usage-reader.ts';
import { repriceClickHouseLedger } from '../../../exporter/clickhouse/reprice/clickhouse-reprice.ts';
import { ClickHouseUsageProcessor } from '../../../exporter/clickhouse/write/clickhouse-usage-processor.ts';
import { SqliteUsageReader } from '../../../exporter/sqlite/read/sqlite-usage-reader.ts';
import { eraseLedgerUser } from '../../../exporter/sqlite/write/erase-user.ts';
import { LedgerFile } from '../../../exporter/sqlite/write/ledger-file.ts';
import { repriceLedger } from '../../../exporter/sqlite/write/sqlite-reprice.ts';
import { rollUpLedger } from '../../../exporter/sqlite/write/sqlite-roll-up.ts';
import {
  clickHouse,
  clickHouseTables,
  fillClickHouse,
  makeClickHouseRollUps,
  requireClickHouse,
  rollUpClickHouse,
  startClickHouse,
} from '../../support/clickhouse.ts';
import { type TestServer } from '../../support/servers.ts';
import { logOf } from '../../support/usage-logs.ts';
import {
  KEPT_FROM,
  keptSumsSuite,
  type LedgerOfKeptSums,
  NOW_MS,
  RECORDS,
} from './kept-sums-suite.ts';
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const NAME = "o'Brien";

keptSumsSuite('SQLite', {
  usersBy: 'day',
  usersByLocalDay: false,
  async openWhole() {
    const { path, remove } = filledFile();
    const reader = new SqliteUsageReader({ path });
    return await Promise.resolve({
      reader,
      async close() {
        await reader.close();
        remove();
      },
    });
  },
  async open() {
    const { path, file, remove } = filledFile();
    const upkeep = (keptSumDays = 400): void => {
      while (file.sumUpDay());
      while (file.removeOlderThan(5, keptSumDays));
    };
    upkeep();
    const reader = new SqliteUsageReader({ path });
    return await Promise.resolve({
      reader,
      async write(records) {
        let expired = 0;
        file.onLeftOut = (reason, count) => {
          assert.equal(reason, 'beyond_retention');
          expired += count;
        };
        return await Promise.resolve({ stored: file.write(records), expired });
      },
      reprice: async (costUsd) => await repriceLedger({ path, costOf: () => costUsd }),
      verify: async () => (await rollUpLedger({ path, now, verify: true })).wrong,
      upkeep: async () => await Promise.resolve(upkeep()),
      async erase(userId) {
        await eraseLedgerUser({ path, userId });
        // A team has this name as well.
        assert.equal(userId, NAME);
        assert.doesNotMatch(readFileSync(path, 'latin1'), /o'Brien(?! & co)/);
      },
      removeSumsBefore: async (day) =>
        await Promise.resolve(upkeep(Math.floor((NOW_MS - Date.parse(day)) / DAY_MS))),
      async close() {
        await reader.close();
        remove();
      },
    } satisfies LedgerOfKeptSums);
  },
});

const now = (): number => NOW_MS;

/** Summed up, with all calls. */
function filledFile(): {
  readonly path: string;
  readonly file: LedgerFile;
  readonly remove: () => void;
} {
  const folder = mkdtempSync(join(tmpdir(), 'token-meter-kept-'));
  const path = join(folder, 'usage.db');
  const file = new LedgerFile({ path, busyTimeoutMs: 1000, now });
  file.write(RECORDS);
  while (file.sumUpDay());
  return {
    path,
    file,
    remove() {
      file.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

describe('on ClickHouse', () => {
  let server: TestServer;
  let count = 0;

  before(async function () {
    requireClickHouse(this);
    server = await startClickHouse();
  });
  after(async () => await server?.stop());

  keptSumsSuite('ClickHouse', {
    usersBy: 'day',
    usersByLocalDay: false,
    async openWhole() {
      const database = await filledDatabase();
      const reader = new ClickHouseUsageReader({ url: server.url, database, maxAgeMs: 0 });
      return { reader, close: async () => await reader.close() };
    },
    open: keptLedger,
  });

  async function filledDatabase(): Promise<string> {
    const database = `kept_${++count}`;
    await clickHouseTables(server.url, database);
    await fillClickHouse(server.url, database, RECORDS);
    await rollUpClickHouse(server.url, database);
    return database;
  }

  async function keptLedger(): Promise<LedgerOfKeptSums> {
    const { url } = server;
    const database = await filledDatabase();
    const alter = async (table: string, change: string): Promise<unknown> =>
      await clickHouse(
        url,
        `ALTER TABLE ${database}.${table} ${change} SETTINGS mutations_sync = 2`,
      );
    // As the server notes it by its clock, of a retention that was removed since.
    await clickHouse(
      url,
      `INSERT INTO ${database}.llm_usage_cells (roll_up, cell) VALUES ('kept', '${KEPT_FROM}')`,
    );
    await alter('llm_usage', `DELETE WHERE time < parseDateTimeBestEffort('${KEPT_FROM}', 'UTC')`);
    const access = { url, database };
    const reader = new ClickHouseUsageReader({ ...access, maxAgeMs: 0 });
    return {
      reader,
      async write(records) {
        const processor = new ClickHouseUsageProcessor({ ...access, spool: false });
        for (const record of records) processor.onEmit(logOf(record));
        await processor.forceFlush();
        const { delivered, dropped } = processor.status();
        await processor.shutdown();
        return { stored: delivered, expired: dropped['beyond_retention'] ?? 0 };
      },
      reprice: async (costUsd) =>
        await repriceClickHouseLedger({ ...access, costOf: () => costUsd }),
      async verify() {
        const hours = (from: string): string =>
          `SELECT toStartOfHour(toDateTime(at, 'UTC')) AS hour, sum(one) AS calls, sum(cost_nanos) AS cost
           FROM (${from}) GROUP BY hour HAVING calls > 0`;
        const kept = `at >= parseDateTimeBestEffort('${KEPT_FROM}', 'UTC')`;
        const calls = `SELECT time AS at, 1 AS one, cost_nanos FROM ${database}.llm_usage FINAL WHERE ${kept}`;
        const sums = `SELECT cell AS at, calls AS one, cost_nanos FROM ${database}.llm_usage_hourly FINAL WHERE ${kept}`;
        const differing = `SELECT count() FROM (${hours(calls)}) AS a FULL JOIN (${hours(sums)}) AS b USING (hour)
           WHERE a.calls != b.calls OR NOT (a.cost <=> b.cost)`;
        return Number(await clickHouse(url, differing));
      },
      async upkeep() {
        await alter(
          'llm_usage_cells',
          'UPDATE changed = changed - INTERVAL 1 HOUR, made = made - INTERVAL 1 HOUR WHERE changed > 0',
        );
        await makeClickHouseRollUps(url, database);
      },
      erase: async (userId) => await eraseClickHouseUser({ ...access, userId, spool: false }),
      async close() {
        await reader.close();
      },
    };
  }
});
