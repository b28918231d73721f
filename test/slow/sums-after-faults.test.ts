import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  ClickHouseUsageProcessor,
  ClickHouseUsageReader,
  InfluxUsageProcessor,
  InfluxUsageReader,
  repriceClickHouseLedger,
  repriceInfluxLedger,
  repriceLedger,
  SqliteUsageProcessor,
  SqliteUsageReader,
} from '../../exporter/index.ts';
import { rollUpInfluxLedger } from '../../exporter/influxdb/rollup/influx-roll-up.ts';
import type { UsageReader } from '../../exporter/ledger/usage-query.ts';
import { rollUpLedger } from '../../exporter/sqlite/write/sqlite-roll-up.ts';
import type { UsageRecord } from '../../src/domain/usage-record.ts';
import { askRandomly } from '../conformance/usage-readers/random-questions.ts';
import {
  clickHouseTables,
  makeClickHouseRollUps,
  requireClickHouse,
  restClickHouse,
  rollUpClickHouse,
  startClickHouse,
} from '../support/clickhouse.ts';
import { requireServer, startInfluxd } from '../support/servers.ts';
import { until } from '../support/until.ts';
import { mixedRecords } from '../support/usage-ledger.ts';
import { logOf } from '../support/usage-logs.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const NOW = Date.now();
const RECORDS = mixedRecords(3000, NOW - 3 * DAY_MS, NOW - 2 * HOUR_MS);
/** When the outage begins and ends, by the time of the calls. */
const OUTAGE = [NOW - 2 * DAY_MS, NOW - DAY_MS] as const;
const QUESTIONS = 25;
const KILLS = 5;

interface Processor {
  onEmit(record: ReturnType<typeof logOf>): void;
  shutdown(): Promise<void>;
}

describe('sums equal the ledger', function () {
  this.timeout(300_000);
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'token-meter-sums-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** Records before, during and after the outage; each part by another process, as it were. */
  async function write(
    open: () => Processor,
    outage: { begin(): Promise<void>; end(): Promise<void> },
  ): Promise<void> {
    const partOf = ({ time }: UsageRecord): number =>
      OUTAGE.filter((border) => Date.parse(time) >= border).length;
    for (const part of [0, 1, 2]) {
      if (part === 1) await outage.begin();
      const processor = open();
      for (const record of RECORDS) if (partOf(record) === part) processor.onEmit(logOf(record));
      await processor.shutdown();
      if (part === 1) await outage.end();
    }
  }

  async function ledgerOf(reader: UsageReader): Promise<readonly UsageRecord[]> {
    const all: UsageRecord[] = [];
    for (let cursor: string | undefined; ;) {
      const page = await reader.records({ limit: 1000, ...(cursor && { cursor }) });
      all.push(...page.records);
      ({ cursor } = page);
      if (cursor === undefined) return all;
    }
  }

  async function assertEqual(reader: UsageReader): Promise<void> {
    const records = await ledgerOf(reader);
    const ids = new Set(records.map(({ id }) => id));
    assert.deepEqual([records.length, ids.size], [RECORDS.length, RECORDS.length]);
    await askRandomly(reader, records, QUESTIONS);
  }

  /** Kills a process that makes roll-ups at some moment of its work. */
  async function killed(script: string, afterMs: number): Promise<void> {
    const args = ['--conditions=otel-token-meter/source', '--input-type=module', '-e', script];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const closed = once(child, 'close');
    // The first hour is made.
    await Promise.race([once(child.stdout, 'data'), closed]);
    await sleep(afterMs);
    child.kill('SIGKILL');
    await closed;
  }

  /** Doubles what is not reported by a provider. */
  const costOf = ({ costUsd = 0.001 }: UsageRecord): number => costUsd * 2;

  it('on SQLite, after a locked file, kills of a roll-up and new prices', async () => {
    const path = join(folder, 'usage.db');
    let lock: DatabaseSync | undefined;
    await write(() => new SqliteUsageProcessor({ path }), {
      async begin() {
        lock = new DatabaseSync(path);
        lock.exec('BEGIN IMMEDIATE');
        await Promise.resolve();
      },
      async end() {
        lock?.close();
        await Promise.resolve();
      },
    });
    const reader = new SqliteUsageReader({ path });
    try {
      await assertEqual(reader);
      const from = import.meta.resolve('../../exporter/sqlite/write/sqlite-roll-up.ts');
      for (let kill = 0; kill < KILLS; kill++) {
        await killed(
          `import { rollUpLedger } from '${from}';
           await rollUpLedger({ path: ${JSON.stringify(path)}, verify: true, onProgress: () => console.log('.') });`,
          kill * 5,
        );
        await assertEqual(reader);
      }
      await rollUpLedger({ path });
      assert.equal((await rollUpLedger({ path, verify: true })).wrong, 0);
      await assertEqual(reader);
      await repriceLedger({ path, costOf });
      await assertEqual(reader);
      await rollUpLedger({ path });
      await assertEqual(reader);
    } finally {
      await reader.close();
    }
  });

  it('on InfluxDB, after a day without it, kills of a roll-up and new prices', async function () {
    requireServer(this, 'influxd');
    const server = await startInfluxd({ databases: ['llm'] });
    const access = { url: server.url, bucket: 'llm' };
    const spool = { directory: join(folder, 'spool') };
    // Later than late calls rest.
    const now = (): number => Date.now() + HOUR_MS;
    const reader = new InfluxUsageReader({ ...access, maxAgeMs: 0 });
    try {
      await write(() => new InfluxUsageProcessor({ ...access, spool, rollUps: true }), {
        begin: async () => await server.kill(),
        end: async () => await server.restart(),
      });
      const last = new InfluxUsageProcessor({ ...access, spool });
      await until(async () => (await ledgerOf(reader)).length === RECORDS.length, 60_000);
      await last.shutdown();
      await assertEqual(reader);
      const from = import.meta.resolve('../../exporter/influxdb/rollup/influx-roll-up.ts');
      for (let kill = 0; kill < KILLS; kill++) {
        await killed(
          `import { rollUpInfluxLedger } from '${from}';
           await rollUpInfluxLedger({ ...${JSON.stringify(access)}, now: () => Date.now() + ${HOUR_MS}, verify: true,
             onProgress: () => console.log('.') });`,
          kill * 40,
        );
        await assertEqual(reader);
      }
      await rollUpInfluxLedger({ ...access, now });
      assert.equal((await rollUpInfluxLedger({ ...access, now, verify: true })).wrong, 0);
      await assertEqual(reader);
      await repriceInfluxLedger({ ...access, costOf });
      await assertEqual(reader);
    } finally {
      await reader.close();
      await server.stop();
    }
  });

  it('on ClickHouse, after a day without it, a kill of the server and new prices', async function () {
    requireClickHouse(this);
    const server = await startClickHouse();
    const access = { url: server.url, database: 'llm' };
    const spool = { directory: join(folder, 'spool') };
    await clickHouseTables(server.url, 'llm');
    const reader = new ClickHouseUsageReader({ ...access, maxAgeMs: 0 });
    try {
      await write(() => new ClickHouseUsageProcessor({ ...access, spool }), {
        begin: async () => await server.kill('SIGKILL'),
        end: async () => await server.restart(),
      });
      const last = new ClickHouseUsageProcessor({ ...access, spool });
      await until(async () => (await ledgerOf(reader)).length === RECORDS.length, 60_000);
      await last.shutdown();
      await assertEqual(reader);
      for (const afterMs of [0, 30, 100]) {
        await restClickHouse(server.url, 'llm');
        const made = makeClickHouseRollUps(server.url, 'llm').catch(() => {});
        await sleep(afterMs);
        await server.kill('SIGKILL');
        await made;
        await server.restart();
        await assertEqual(reader);
      }
      await rollUpClickHouse(server.url, 'llm');
      await assertEqual(reader);
      await repriceClickHouseLedger({ ...access, costOf });
      await assertEqual(reader);
    } finally {
      await reader.close();
      await server.stop();
    }
  });
});
