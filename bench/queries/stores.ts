import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { InfluxUsageReader } from '../../exporter/influxdb/read/influx-usage-reader.ts';
import { rollUpInfluxLedger } from '../../exporter/influxdb/rollup/influx-roll-up.ts';
import { UsageLineWriter } from '../../exporter/influxdb/write/lines/usage-line.ts';
import type { UsageReader } from '../../exporter/ledger/usage-query.ts';
import { SqliteUsageReader } from '../../exporter/sqlite/read/sqlite-usage-reader.ts';
import { LedgerFile } from '../../exporter/sqlite/write/ledger-file.ts';
import { startInfluxd } from '../../test/support/servers.ts';
import { hasClickHouse, openClickHouse } from './clickhouse.ts';
import { batches, DAYS, END } from './ledger.ts';

export interface LedgerSize {
  readonly folder: string;
  readonly count: number;
  readonly users: number;
  /** ClickHouse makes the calls itself. @default false */
  readonly generated?: boolean;
}

export interface OpenStore {
  readonly name: string;
  /** Of its server. */
  readonly pid?: number | undefined;
  /** A reader that knows nothing yet; the caller closes it. */
  readonly open: () => UsageReader;
  close(): Promise<void>;
}

/** Filled ledgers with their roll-ups; `only` is the name of one of them. */
export async function openStores(
  size: LedgerSize,
  only: string | undefined,
): Promise<readonly OpenStore[]> {
  const { count, users, generated = false } = size;
  const hasInfluxd = process.env['PATH']
    ?.split(':')
    .some((path) => existsSync(join(path, 'influxd')));
  const isAsked = (name: string): boolean => only === undefined || only === name;
  const stores: OpenStore[] = [];
  if (isAsked('sqlite')) stores.push(await openSqlite(size));
  if (isAsked('influxdb') && hasInfluxd === true) stores.push(await openInflux(size));
  if (isAsked('clickhouse') && hasClickHouse) {
    const itself = { generated: count, users, endMs: END, days: DAYS };
    stores.push(await openClickHouse(generated ? itself : { batches: batches(count, users) }));
  }
  return stores;
}

async function openSqlite({ folder, count, users }: LedgerSize): Promise<OpenStore> {
  const path = join(folder, 'usage.db');
  const file = new LedgerFile({ path, busyTimeoutMs: 1000 });
  const start = performance.now();
  for (const batch of batches(count, users)) file.write(batch);
  const seconds = (performance.now() - start) / 1000;
  const summingStart = performance.now();
  while (file.sumUpDay());
  const summing = (performance.now() - summingStart) / 1000;
  file.close();
  const version = new DatabaseSync(':memory:').prepare('SELECT sqlite_version() AS v').get();
  const size = statSync(path).size / 1e6;
  console.log(
    `SQLite ${String(version?.['v'])}: filled in ${seconds.toFixed(1)} s, days summed up in ${summing.toFixed(1)} s, ${size.toFixed(0)} MB`,
  );
  return {
    name: 'SQLite',
    open: () => new SqliteUsageReader({ path }),
    close: async () => await Promise.resolve(),
  };
}

async function openInflux({ count, users }: LedgerSize): Promise<OpenStore> {
  const server = await startInfluxd({ databases: ['llm_metrics'] });
  const lines = new UsageLineWriter({ maxUserTags: 10_000, maxDimensionTags: 10, onCleaned() {} });
  const start = performance.now();
  for (const batch of batches(count, users)) {
    const body = batch.map((record) => String(lines.line(record))).join('\n');
    const response = await fetch(`${server.url}/write?db=llm_metrics`, { method: 'POST', body });
    if (response.status !== 204) throw new Error(await response.text());
  }
  const { headers } = await fetch(`${server.url}/ping`);
  const seconds = (performance.now() - start) / 1000;
  console.log(`InfluxDB ${headers.get('x-influxdb-version')}: filled in ${seconds.toFixed(0)} s`);
  const rollUpStart = performance.now();
  const cpuStart = process.cpuUsage();
  const now = (): number => END;
  const access = { url: server.url, bucket: 'llm_metrics', now };
  const { made } = await rollUpInfluxLedger(access);
  const { user, system } = process.cpuUsage(cpuStart);
  console.log(
    `roll-ups of ${made} hours made in ${((performance.now() - rollUpStart) / 1000).toFixed(1)} s, ` +
      `${((user + system) / count).toFixed(2)} µs of CPU a record in this process`,
  );
  return {
    name: 'InfluxDB',
    pid: server.process.pid,
    open: () => new InfluxUsageReader(access),
    close: async () => await server.stop(),
  };
}
