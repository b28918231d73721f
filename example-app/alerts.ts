import type { TokenMeterConfig } from 'otel-token-meter/config';
import {
  type AlertChannelStatus,
  alertMessage,
  type AlertStateStore,
  type DeliveryAttempt,
  FileAlertStates,
  readAlertRules,
  UsageAlerts,
  type UsageReader,
} from 'otel-token-meter/exporter';
import { RedisSharedMap } from 'otel-token-meter/settings';
import { alertChannels } from './alert-channels.ts';

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

/** The alerts of a running application, for the fleet where the states are shared. */
export interface RunningAlerts extends Pick<
  UsageAlerts,
  'status' | 'history' | 'mute' | 'unmute' | 'acknowledge' | 'ruleOfAlert' | 'reportBudget'
> {
  /** Of this instance. */
  channels(): readonly ({ readonly name: string } & AlertChannelStatus)[];
  /** Sends a sample through every channel. */
  test(): Promise<readonly ({ readonly name: string } & DeliveryAttempt)[]>;
  close(): Promise<void>;
}

/**
 * Evaluates the configured alert rules. An invalid file, URL or address is logged, and the
 * application starts without alerts.
 */
export async function startAlerts(options: AlertsOptions): Promise<RunningAlerts | undefined> {
  const { config, settings, reader, isRecording, log } = options;
  try {
    const channels = alertChannels(config);
    // Budgets are reported without rules, too.
    if (config.file === undefined && channels.length === 0) return undefined;
    const rules = config.file === undefined ? [] : await readAlertRules(config.file);
    const { states, close } = statesOf(config, settings);
    const alerts = new UsageAlerts({
      rules,
      reader,
      states,
      isRecording,
      channels,
      intervalMs: config.intervalMs,
      onAlert(alert) {
        const { title, text } = alertMessage(alert);
        log[LOG_LEVEL[alert.level]](`${title}: ${text}`);
      },
    });
    alerts.start();
    return {
      status: (teams) => alerts.status(teams),
      history: (teams) => alerts.history(teams),
      mute: async (rule, until, actor) => await alerts.mute(rule, until, actor),
      unmute: async (rule, actor) => await alerts.unmute(rule, actor),
      reportBudget: alerts.reportBudget,
      acknowledge: async (id, actor) => await alerts.acknowledge(id, actor),
      ruleOfAlert: async (id) => await alerts.ruleOfAlert(id),
      channels: () => channels.map((channel) => ({ name: channel.name, ...channel.status() })),
      test: async () =>
        await Promise.all(
          channels.map(async (channel) => ({ name: channel.name, ...(await channel.test()) })),
        ),
      async close() {
        // First: what they give up is still noted as undelivered.
        await Promise.all(channels.map((channel) => channel.close()));
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
