import type { TokenMeterInstrumentation } from 'otel-token-meter';
import type { TokenMeterConfig } from 'otel-token-meter/config';
import {
  configuredSettingsStore,
  followSwitches,
  metricsSettings,
  SettingsService,
  type MetricsSettings,
} from 'otel-token-meter/settings';

export interface LiveSettingsOptions {
  readonly config: TokenMeterConfig;
  readonly instrumentation: TokenMeterInstrumentation;
  readonly name: string;
  /** Exporter status for the list of instances. */
  readonly details: () => object;
}

export interface LiveSettings {
  readonly settings: SettingsService<MetricsSettings>;
  /** Drops the records that are still held. */
  close(): Promise<void>;
}

/**
 * Watches the two switches in their store and applies them to the instrumentation of this process.
 */
export async function startLiveSettings(options: LiveSettingsOptions): Promise<LiveSettings> {
  const { config, instrumentation, name, details } = options;
  const settings = new SettingsService({
    schema: metricsSettings,
    defaults: {
      enabled: config.metrics.enabled,
      token_statistics: config.metrics.tokenStatistics,
    },
    store: configuredSettingsStore(config.settings),
    instance: { name, details: () => ({ ...details(), held: instrumentation.held }) },
  });
  const end = followSwitches(settings, instrumentation, config.settings.whenUnknown);
  await settings.start();
  return {
    settings,
    async close() {
      end();
      await settings.close();
    },
  };
}
