import type { Setting } from '../setting.ts';
import { clickhouse, type ClickHouseConfig } from './clickhouse.ts';
import { influxdb, type InfluxConfig } from './influxdb.ts';
import { sqlite, type SqliteConfig } from './sqlite.ts';

/** Options of the stores that keep a ledger, under `metrics`. */
export interface StoresConfig {
  readonly influxdb: InfluxConfig;
  readonly sqlite: SqliteConfig;
  readonly clickhouse: ClickHouseConfig;
}

/** The settings of each store; its name is a value of `metrics.provider`. */
export const storeSettings: Readonly<Record<keyof StoresConfig, readonly Setting[]>> = {
  influxdb,
  sqlite,
  clickhouse,
};

export type StoreName = keyof StoresConfig;
export const storeNames: readonly StoreName[] = Object.keys(storeSettings) as StoreName[];

/** Whether records of this provider are kept in a ledger that can be read back. */
export function isStore(provider: string): provider is StoreName {
  return storeNames.some((name) => name === provider);
}
