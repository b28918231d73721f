import type { PushMetricExporter } from '@opentelemetry/sdk-metrics';
import { clickHouseOptions, type ClickHouseStoreConfig } from './clickhouse/clickhouse-options.ts';
import { eraseClickHouseUser } from './clickhouse/erase/clickhouse-erase.ts';
import { ClickHouseUsageReader } from './clickhouse/read/clickhouse-usage-reader.ts';
import { repriceClickHouseLedger } from './clickhouse/reprice/clickhouse-reprice.ts';
import { clickHouseBacklogs } from './clickhouse/write/clickhouse-backlogs.ts';
import { ClickHouseUsageProcessor } from './clickhouse/write/clickhouse-usage-processor.ts';
import type { StoreBacklog } from './delivery/store-backlogs.ts';
import type { ExporterStatus } from './health/status.ts';
import { eraseInfluxUser } from './influxdb/erase/influx-erase.ts';
import { influxOptions, type InfluxStoreConfig } from './influxdb/influx-config.ts';
import { InfluxUsageReader } from './influxdb/read/influx-usage-reader.ts';
import { repriceInfluxLedger } from './influxdb/reprice/influx-reprice.ts';
import { rollUpInfluxLedger } from './influxdb/rollup/influx-roll-up.ts';
import { InfluxMetricExporter } from './influxdb/write/influx-metric-exporter.ts';
import { InfluxUsageProcessor } from './influxdb/write/influx-usage-processor.ts';
import { influxBacklogs } from './influxdb/write/influx-backlogs.ts';
import type { EraseOptions, EraseResult } from './ledger/erase.ts';
import type { RepriceOptions, RepriceResult } from './ledger/reprice-tally.ts';
import type { RollUpOptions, RollUpResult } from './ledger/roll-up-run.ts';
import type { UsageLogProcessor } from './ledger/usage-event.ts';
import type { UsageReader } from './ledger/usage-query.ts';
import { SqliteUsageReader } from './sqlite/read/sqlite-usage-reader.ts';
import { eraseLedgerUser } from './sqlite/write/erase-user.ts';
import { rollUpLedger } from './sqlite/write/sqlite-roll-up.ts';
import { repriceLedger } from './sqlite/write/sqlite-reprice.ts';
import { SqliteUsageProcessor } from './sqlite/write/sqlite-usage-processor.ts';

/** A configured ledger, whichever store keeps it. Nothing is opened before a function is called. */
export interface UsageStore {
  /** For people: a file, or host and bucket, without credentials. */
  readonly where: string;
  /** The ledger's file, where it is one. */
  readonly file?: string;
  processor(): UsageLogProcessor & { status(): ExporterStatus };
  /** Stores without a place for metrics have none. */
  metricExporter?(): PushMetricExporter & {
    /** @param withinMs default: the time limit of a request */
    forceFlush(withinMs?: number): Promise<void>;
  };
  reader(): UsageReader;
  reprice(options: RepriceOptions): Promise<RepriceResult>;
  erase(options: EraseOptions): Promise<EraseResult>;
  /** Makes the roll-ups that are missing or wrong. */
  rollUp?(options: RollUpOptions): Promise<RollUpResult>;
  /** What waits on this disk, for this ledger and for those that were configured before. */
  backlogs?(): Promise<readonly StoreBacklog[]>;
}

/** The options of each store, as the configuration has them under `metrics`. */
export interface StoreConfigs {
  readonly influxdb: InfluxStoreConfig;
  readonly sqlite: {
    readonly path: string;
    readonly retentionDays?: number;
    readonly rollUpRetentionDays?: number;
  };
  readonly clickhouse: ClickHouseStoreConfig;
}

/** One row per store: commands, preload and applications know none of them by name. */
const STORES: {
  readonly [Name in keyof StoreConfigs]: (config: StoreConfigs[Name]) => UsageStore;
} = {
  influxdb: (config) => {
    const options = influxOptions(config);
    // A query may take longer than a write: the reader has a default of its own.
    const { timeoutMs: _ofWrites, ...reading } = options;
    const spooled = options.spool !== false && { backlogs: () => influxBacklogs(options) };
    return {
      where: `InfluxDB at ${new URL(config.url).origin}, ${config.bucket}`,
      processor: () => new InfluxUsageProcessor(options),
      metricExporter: () => new InfluxMetricExporter(options),
      reader: () => new InfluxUsageReader(reading),
      reprice: (reprice) => repriceInfluxLedger({ ...reading, ...reprice }),
      erase: (erase) => eraseInfluxUser({ ...reading, ...erase }),
      rollUp: (rollUp) => rollUpInfluxLedger({ ...reading, ...rollUp }),
      ...spooled,
    };
  },
  sqlite: (config) => ({
    where: config.path,
    file: config.path,
    processor: () => new SqliteUsageProcessor(config),
    reader: () => new SqliteUsageReader({ path: config.path }),
    reprice: (reprice) => repriceLedger({ path: config.path, ...reprice }),
    erase: (erase) => eraseLedgerUser({ path: config.path, ...erase }),
    rollUp: (rollUp) => rollUpLedger({ path: config.path, ...rollUp }),
  }),
  clickhouse: (config) => {
    const options = clickHouseOptions(config);
    // A query may take longer than a write: the reader has a default of its own.
    const { timeoutMs: _ofWrites, ...reading } = options;
    const { origin, pathname } = new URL(config.url);
    const database = config.database ?? (pathname.replaceAll('/', '') || 'default');
    const spooled = options.spool !== false && { backlogs: () => clickHouseBacklogs(options) };
    return {
      where: `ClickHouse at ${origin}, ${database}`,
      processor: () => new ClickHouseUsageProcessor(options),
      reader: () => new ClickHouseUsageReader(reading),
      reprice: (reprice) => repriceClickHouseLedger({ ...reading, ...reprice }),
      erase: (erase) => eraseClickHouseUser({ ...reading, ...erase }),
      ...spooled,
    };
  },
};

/** The ledger of `provider`; undefined for a provider that keeps no ledger (`otlp`, `console`, `none`). */
export function usageStore(provider: keyof StoreConfigs, configs: StoreConfigs): UsageStore;
export function usageStore(provider: string, configs: StoreConfigs): UsageStore | undefined;
export function usageStore(provider: string, configs: StoreConfigs): UsageStore | undefined {
  const name = Object.keys(STORES).find((known) => known === provider);
  if (name === undefined) return undefined;
  const open = STORES[name as keyof StoreConfigs] as (config: unknown) => UsageStore;
  return open(configs[name as keyof StoreConfigs]);
}
