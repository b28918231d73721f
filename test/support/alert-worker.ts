import { AlertWebhook, FileAlertStates, UsageAlerts } from '../../exporter/index.ts';
import { alertLedger } from './alert-ledger.ts';

/** An instance with one user far above its threshold, until it is killed. */
export interface AlertWorkerOptions {
  readonly path: string;
  readonly url: string;
  /** Added to the clock, for a process that starts later. */
  readonly aheadMs: number;
  readonly tokens: number;
}

const { path, url, aheadMs, tokens } = JSON.parse(process.argv[2] ?? '') as AlertWorkerOptions;
const now = (): number => Date.now() + aheadMs;
const webhook = new AlertWebhook({ url, retryDelayMs: 20, maxAttempts: 2 });
const alerts = new UsageAlerts({
  rules: [{ name: 'burn', metric: 'totalTokens', by: 'user', windowMs: 3_600_000, alert: 200 }],
  reader: alertLedger([{ atMs: now() - 1000, user: 'ann', totalTokens: tokens }]),
  states: new FileAlertStates({ path }),
  onAlert: webhook.send,
  intervalMs: 1000,
  now,
});
setInterval(() => void alerts.evaluate(), 100);
await alerts.evaluate();
process.send?.('evaluated');
