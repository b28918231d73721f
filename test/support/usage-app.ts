import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BudgetsRoutesOptions, budgetsRoutes } from '../../example-app/routes/budgets.ts';
import { consoleEntriesRoutes } from '../../example-app/routes/console-entries.ts';
import type { HealthSources } from '../../example-app/routes/dashboard-health.ts';
import { erase } from '../../example-app/erasure.ts';
import { consoleEntries } from '../../example-app/live-entries.ts';
import { dashboardRoutes } from '../../example-app/routes/dashboard.ts';
import { settingsRoutes } from '../../example-app/routes/settings.ts';
import { usageRoutes } from '../../example-app/routes/usage.ts';
import type { ApiRoute } from '../../example-app/routes/api-route.ts';
import {
  SqliteUsageProcessor,
  SqliteUsageReader,
  type StoreConfigs,
} from '../../exporter/index.ts';
import { budgetsSettings } from '../../src/budgets/index.ts';
import {
  MemorySettingsStore,
  type MetricsSettings,
  SettingsService,
  type SettingsServiceOptions,
  metricsSettings,
} from '../../src/settings/index.ts';
import type { UsageRecord } from '../../src/domain/usage-record.ts';
import { type ServedApp, serveApp } from './app.ts';
import { logOf } from './usage-logs.ts';

/** The application on a new SQLite ledger, with all routes that the dashboard uses. */
export interface UsageApp {
  readonly app: ServedApp;
  readonly settings: SettingsService<MetricsSettings>;
  /** Response of `/api/usage/health`; tests may change it. */
  readonly health: {
    -readonly [K in keyof Omit<HealthSources, 'settings' | 'dimensions'>]: HealthSources[K];
  };
  /** Of `/api/budgets/status`; tests may change them. */
  accounts: Awaited<ReturnType<BudgetsRoutesOptions['accounts']>>;
  /** Resolves when the records can be read. */
  record(records: Iterable<UsageRecord>): Promise<void>;
  close(): Promise<void>;
}

export interface UsageAppOptions {
  /** Routes in addition to those of the dashboard. */
  readonly routes?: readonly ApiRoute[];
  /** An existing ledger, which is kept. @default a new one */
  readonly ledger?: string;
  /** Names of configured dimensions. @default none */
  readonly dimensions?: readonly string[];
  /** Other instances that share the settings, by what they report of themselves. @default none */
  readonly fleet?: readonly InstanceReport[];
}

type InstanceReport = NonNullable<SettingsServiceOptions<MetricsSettings>['instance']>;

export async function serveUsage({
  routes = [],
  ledger,
  dimensions = [],
  fleet = [],
}: UsageAppOptions = {}): Promise<UsageApp> {
  const folder = await mkdtemp(join(tmpdir(), 'usage-app-'));
  const path = ledger ?? join(folder, 'usage.db');
  const processor = new SqliteUsageProcessor({ path });
  await processor.forceFlush();
  const reader = new SqliteUsageReader({ path });
  const store = new MemorySettingsStore();
  const instances = [{ details: () => ({ exporter: processor.status() }) }, ...fleet].map(
    (instance) => new SettingsService({ schema: metricsSettings, store, instance }),
  );
  for (const each of instances) await each.start();
  const settings = instances[0]!;
  const budgets = new SettingsService({
    schema: budgetsSettings,
    store: new MemorySettingsStore(),
  });
  await budgets.start();
  const entries = consoleEntries(new MemorySettingsStore());
  await entries.start();
  const hasBudgets = routes.some(({ path: each }) => each === '/api/settings/budgets');
  const configs = { sqlite: { path } } as StoreConfigs;
  const stopping = new AbortController();
  const health: UsageApp['health'] = { exporter: () => processor.status() };
  const sources: HealthSources = {
    settings,
    dimensions,
    exporter: () => health.exporter?.(),
    prices: () => health.prices?.(),
    alerts: () => health.alerts?.() ?? [],
  };
  const app = await serveApp({
    stopping: stopping.signal,
    routes: [
      ...usageRoutes({
        reader,
        dimensions,
        erase: (order) => erase({ ...order, provider: 'sqlite', configs }),
      }),
      ...settingsRoutes({ settings, stopping: stopping.signal }),
      ...dashboardRoutes({ ...sources, reader, stopping: stopping.signal, everyMs: 100 }),
      ...(hasBudgets
        ? []
        : budgetsRoutes({
            settings: budgets,
            stopping: stopping.signal,
            accounts: async ({ isWanted = () => true }) =>
              served.accounts.filter(({ id, key }) => isWanted(id, key)),
          })),
      ...consoleEntriesRoutes({ settings: entries, stopping: stopping.signal }),
      ...routes,
    ],
  });
  const served: UsageApp = {
    app,
    accounts: [],
    settings,
    health,
    async record(records) {
      for (const record of records) processor.onEmit(logOf(record));
      await processor.forceFlush();
    },
    async close() {
      stopping.abort();
      await app.close();
      await reader.close();
      for (const each of instances) await each.close();
      await budgets.close();
      await entries.close();
      await processor.shutdown();
      await rm(folder, { recursive: true });
    },
  };
  return served;
}
