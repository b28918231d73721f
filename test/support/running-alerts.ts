import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunningAlerts, startAlerts } from '../../example-app/alerts.ts';
import type { AlertRule, UsageReader } from '../../exporter/index.ts';
import type { TokenMeterConfig } from '../../src/config/index.ts';
import { alertLedger } from './alert-ledger.ts';
import { until } from './until.ts';

export interface AppAlerts {
  readonly alerts: RunningAlerts;
  readonly lines: readonly string[];
  close(): Promise<void>;
}

const settings = { store: 'file', redis: { url: '', keyPrefix: '', pollIntervalMs: 1 } } as const;

interface Watched {
  readonly rules: readonly AlertRule[];
  readonly reader: UsageReader;
}

const RULES: readonly AlertRule[] = [
  { name: 'hour', metric: 'totalTokens', by: 'user', windowMs: 3_600_000, alert: 200 },
  { name: 'month', kind: 'forecast', metric: 'costUsd', warning: 100, alert: 200 },
];

const READER = {
  summary: async (query) =>
    await alertLedger([{ atMs: Date.now() - 1000, user: 'ann', totalTokens: 500 }]).summary(query),
} as UsageReader;

/** The alerts of the application, by default with a user far above the threshold of one of two rules. */
export async function appAlerts(
  config: Partial<TokenMeterConfig['alerts']> = {},
  { rules = RULES, reader = READER }: Partial<Watched> = {},
): Promise<AppAlerts> {
  const folder = mkdtempSync(join(tmpdir(), 'token-meter-alerts-'));
  const file = join(folder, 'alerts.json');
  writeFileSync(file, JSON.stringify({ rules }));
  const lines: string[] = [];
  const note = (line: string): number => lines.push(line);
  const alerts = await startAlerts({
    config: {
      file,
      intervalMs: 60_000,
      stateFile: join(folder, 'states', 'alert-states.json'),
      language: 'en',
      pagerdutyUrl: 'http://unused.test',
      ...config,
    },
    settings,
    reader,
    isRecording: () => true,
    log: { info: note, warn: note, error: note },
  });
  if (alerts === undefined) throw new Error(lines.join('\n'));
  await until(() => alerts.status().lastEvaluated !== undefined);
  return {
    alerts,
    lines,
    async close() {
      await alerts.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
