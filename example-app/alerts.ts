import type { TokenMeterConfig } from 'otel-token-meter/config';
import {
  AlertWebhook,
  readAlertRules,
  UsageAlerts,
  type UsageAlert,
  type UsageReader,
} from 'otel-token-meter/exporter';

const LOG_LEVEL = { ok: 'info', warning: 'warn', alert: 'error' } as const;

export interface AlertsOptions {
  readonly config: TokenMeterConfig['alerts'];
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
  const { config, reader, isRecording, log } = options;
  if (config.file === undefined) return undefined;
  try {
    const rules = await readAlertRules(config.file);
    const { webhookUrl: url, webhookSecret: secret, intervalMs } = config;
    const webhook =
      url === undefined
        ? undefined
        : new AlertWebhook({ url, ...(secret !== undefined && { secret }) });
    const alerts = new UsageAlerts({
      rules,
      reader,
      isRecording,
      intervalMs,
      onAlert(alert) {
        log[LOG_LEVEL[alert.level]](describe(alert));
        webhook?.send(alert);
      },
    });
    alerts.start();
    return {
      active: () => alerts.status().active,
      async close() {
        await alerts.close();
        await webhook?.close();
      },
    };
  } catch (error) {
    log.error(`alerts are off: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

/** Removes line breaks, since names come from callers. */
function describe({ level, rule, key, metric, value, threshold, noData }: UsageAlert): string {
  const who = key === null ? '' : ` of ${JSON.stringify(key)}`;
  if (noData) return `${level}: ${rule}: no calls were recorded`;
  const limit = threshold === undefined ? '' : `, threshold ${threshold}`;
  return `${level}: ${rule}: ${metric}${who} is ${value ?? 'unknown'}${limit}`;
}
