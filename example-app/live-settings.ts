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
  /** For the instances view: the exporter's status. */
  readonly details: () => object;
}

export interface LiveSettings {
  readonly settings: SettingsService<MetricsSettings>;
  /** Records that are still held back are dropped. */
  close(): Promise<void>;
}

/** The two switches, followed wherever they are kept, and applied to this process's instrumentation. */
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
