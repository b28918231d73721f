import type { TokenMeterConfig } from 'otel-token-meter/config';
import {
  AlertWebhook,
  FileAlertStates,
  readAlertRules,
  UsageAlerts,
  type AlertStateStore,
  type UsageAlert,
  type UsageReader,
} from 'otel-token-meter/exporter';
import { RedisSharedMap } from 'otel-token-meter/settings';

const LOG_LEVEL = { ok: 'info', warning: 'warn', alert: 'error' } as const;

export interface AlertsOptions {
  readonly config: TokenMeterConfig['alerts'];
  /** With Redis, the instances share the states of the alerts. */
  readonly settings: Pick<TokenMeterConfig['settings'], 'store' | 'redis'>;
  readonly reader: UsageReader;
  /** Whether calls are recorded. If not, an empty window raises no alert. */
  readonly isRecording: () => boolean;
  readonly log: Readonly<Record<'info' | 'warn' | 'error', (line: string) => void>>;
}

export interface RunningAlerts {
  /** Alerts that are not `ok`, most severe first. */
  active(): readonly UsageAlert[];
  close(): Promise<void>;
}

/**
 * Evaluates the configured alert rules. An invalid file or URL is logged, and the application
 * starts without alerts.
 */
export async function startAlerts(options: AlertsOptions): Promise<RunningAlerts | undefined> {
  const { config, settings, reader, isRecording, log } = options;
  if (config.file === undefined) return undefined;
  try {
    const rules = await readAlertRules(config.file);
    const { webhookUrl: url, webhookSecret: secret, intervalMs } = config;
    const webhook =
      url === undefined
        ? undefined
        : new AlertWebhook({ url, ...(secret !== undefined && { secret }) });
    const { states, close } = statesOf(config, settings);
    const alerts = new UsageAlerts({
      rules,
      reader,
      states,
      isRecording,
      intervalMs,
      onAlert(alert) {
        log[LOG_LEVEL[alert.level]](describe(alert));
        return webhook?.send(alert);
      },
    });
    alerts.start();
    return {
      active: () => alerts.status().active,
      async close() {
        // First: what it gives up is still noted as undelivered.
        await webhook?.close();
        await alerts.close();
        await close();
      },
    };
  } catch (error) {
    log.error(`alerts are off: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

function statesOf(
  { stateFile }: AlertsOptions['config'],
  { store, redis }: AlertsOptions['settings'],
): { readonly states: AlertStateStore; readonly close: () => Promise<void> } {
  if (store !== 'redis') {
    return { states: new FileAlertStates({ path: stateFile }), close: async () => undefined };
  }
  const { url, keyPrefix } = redis;
  const states = new RedisSharedMap({ url, keyPrefix, name: 'alerts', background: true });
  return { states, close: () => states.close() };
}

/** Removes line breaks, since names come from callers. */
function describe(alert: UsageAlert): string {
  const { level, rule, key, metric, value, atLeast, threshold, noData } = alert;
  const who = key === null ? '' : ` of ${JSON.stringify(key)}`;
  const name = JSON.stringify(rule).slice(1, -1);
  if (noData) return `${level}: ${name}: no calls were recorded`;
  const limit = threshold === undefined ? '' : `, threshold ${threshold}`;
  const amount = `${atLeast ? 'at least ' : ''}${value ?? 'unknown'}`;
  return `${level}: ${name}: ${metric}${who} is ${amount}${limit}`;
}
