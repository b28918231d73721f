import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OpenAI } from 'openai';
import type { AppDependencies } from '../../example-app/app.ts';
import { ChatService } from '../../example-app/chat/chat-service.ts';
import { DEMO_MODELS, startDemoModel } from '../../example-app/demo-model/server.ts';
import { Signer } from '../../example-app/middleware/signer.ts';
import { SignInError } from '../../example-app/openid/openid-provider.ts';
import type { RunningAlerts } from '../../example-app/alerts.ts';
import type { ApiRoute } from '../../example-app/routes/api-route.ts';
import { alertRoutes } from '../../example-app/routes/alerts.ts';
import { erase } from '../../example-app/erasure.ts';
import { consoleEntries } from '../../example-app/live-entries.ts';
import { consoleEntriesRoutes } from '../../example-app/routes/console-entries.ts';
import { budgetsRoutes } from '../../example-app/routes/budgets.ts';
import { chatRoutes } from '../../example-app/routes/chat.ts';
import type { HealthSources } from '../../example-app/routes/dashboard-health.ts';
import { dashboardRoutes } from '../../example-app/routes/dashboard.ts';
import type { Logger } from '../../example-app/logger.ts';
import type { OpenIdSignIn } from '../../example-app/routes/openid.ts';
import type { SettingsRoutesOptions } from '../../example-app/routes/settings-document.ts';
import { settingsRoutes } from '../../example-app/routes/settings.ts';
import { usageRoutes } from '../../example-app/routes/usage.ts';
import { type AlertRule, SqliteUsageReader, type StoreConfigs } from '../../exporter/index.ts';
import { LedgerFile } from '../../exporter/sqlite/write/ledger-file.ts';
import { budgetsDocument, budgetsSettings } from '../../src/budgets/index.ts';
import {
  MemorySettingsStore,
  type MetricsSettings,
  SettingsService,
  metricsSettings,
} from '../../src/settings/index.ts';
import type { UsageRecord } from '../../src/domain/usage-record.ts';
import { type ServedApp, serveApp } from './app.ts';
import { appAlerts } from './running-alerts.ts';
import { usageAlert } from './usage-alerts.ts';
import { usageRecord } from './usage-logs.ts';

export interface WholeApp extends ServedApp {
  readonly settings: SettingsService<MetricsSettings>;
  readonly store: MemorySettingsStore;
  readonly routes: readonly ApiRoute[];
  readonly openId: OpenIdSignIn;
  /** Into the ledger. */
  write(records: readonly UsageRecord[]): void;
}

const silent = { info: () => undefined, warn: () => undefined } as unknown as Logger;

/** One at which nobody ever succeeds. */
const openId: OpenIdSignIn = {
  provider: {
    name: 'login.test',
    async begin() {
      const checks = { state: 'state', nonce: 'nonce', verifier: 'verifier' };
      return { url: new URL('https://login.test/auth'), checks };
    },
    async finish() {
      throw new SignInError('failed', 'nobody is let in');
    },
  },
  signer: new Signer('a secret of the tests', { purpose: 'openid sign-in' }),
  log: silent,
};

const budgetAccount = {
  id: 'x',
  key: {},
  mode: 'block',
  unit: 'usd',
  limit: 5,
  spent: 4.5,
  reserved: 0.25,
  remaining: 0.25,
  from: '2026-11-29T00:00:00.000Z',
  resetsAt: '2026-11-30T00:00:00.000Z',
  blocked: false,
  stale: false,
} as const;

type WholeAppOptions = Partial<SettingsRoutesOptions<MetricsSettings>> &
  Partial<AppDependencies> &
  Parts;

interface Parts {
  /** @default a few calls */
  readonly records?: readonly UsageRecord[];
  readonly dimensions?: readonly string[];
  /** @default one of everybody */
  readonly budgets?: Parameters<typeof budgetsDocument>[0];
  /** Of the ledger; by default rules of their own on another one. */
  readonly alertRules?: readonly AlertRule[];
  /** Parts of the health; by default one alert. */
  readonly health?: (alerts: RunningAlerts) => HealthSources;
  /** Of the instance. */
  readonly details?: () => object;
}

/** The application with all routes, a ledger, and the demo model. */
export async function serveWholeApp(options: WholeAppOptions = {}): Promise<WholeApp> {
  const { dimensions = [], health = () => ({ alerts: () => [usageAlert({ atLeast: true })] }) } =
    options;
  const folder = mkdtempSync(join(tmpdir(), 'token-meter-app-'));
  const path = join(folder, 'usage.db');
  const file = new LedgerFile({ path, busyTimeoutMs: 1000 });
  file.write(
    options.records ??
      Array.from({ length: 20 }, (_, i) =>
        usageRecord(Date.now() - i * 60_000, {
          userId: `user-${i % 3}`,
          conversationId: `c-${i}`,
          runId: `run-${i}`,
        }),
      ),
  );
  file.close();
  const store = new MemorySettingsStore();
  const { details } = options;
  const settings = new SettingsService({
    schema: metricsSettings,
    store,
    instance: { id: 'one', ...(details && { details }) },
  });
  await settings.start();
  const budgets = new SettingsService({
    schema: budgetsSettings,
    defaults: budgetsDocument(options.budgets ?? [{ id: 'x', window: 'day', limit: { usd: 5 } }]),
    store: new MemorySettingsStore(),
  });
  await budgets.start();
  const entries = consoleEntries(new MemorySettingsStore());
  await entries.start();
  const { changesPerMinute } = options;
  const limits = changesPerMinute === undefined ? {} : { changesPerMinute };
  const reader = new SqliteUsageReader({ path });
  const demo = await startDemoModel({ chunkPauseMs: 0 });
  const client = new OpenAI({ apiKey: 'sk-canary-key', baseURL: demo.url, maxRetries: 0 });
  const chat = new ChatService(client);
  const { alertRules: rules } = options;
  const alerts = await appAlerts({}, rules && { rules, reader });
  const routes = [
    ...settingsRoutes({ settings, ...options }),
    ...consoleEntriesRoutes({ settings: entries, ...limits }),
    ...budgetsRoutes({ settings: budgets, accounts: async () => [budgetAccount], ...limits }),
    ...usageRoutes({
      reader,
      dimensions,
      erase: (order) =>
        erase({ ...order, provider: 'sqlite', configs: { sqlite: { path } } as StoreConfigs }),
    }),
    ...dashboardRoutes({ reader, settings, everyMs: 50, ...health(alerts.alerts) }),
    ...alertRoutes({ alerts: () => alerts.alerts }),
    ...chatRoutes({
      chat,
      role: 'anyone',
      models: DEMO_MODELS,
      demo: true,
      dimensions,
      perMinute: 1_000_000,
    }),
  ];
  const app = await serveApp({ openId, routes, ...options });
  return {
    ...app,
    routes,
    openId,
    settings,
    store,
    write(records) {
      const again = new LedgerFile({ path, busyTimeoutMs: 1000 });
      again.write(records);
      again.close();
    },
    async close() {
      await app.close();
      await alerts.close();
      await demo.close();
      await reader.close();
      await settings.close();
      await budgets.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
