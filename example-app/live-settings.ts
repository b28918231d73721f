import type { TokenMeterInstrumentation } from 'otel-token-meter';
import type { TokenMeterConfig } from 'otel-token-meter/config';
import {
  configuredSettingsStore,
  metricsSettings,
  SettingsService,
  type MetricsSettings,
} from 'otel-token-meter/settings';

export interface LiveSettingsOptions {
  readonly config: TokenMeterConfig;
  readonly instrumentation: TokenMeterInstrumentation;
  readonly name: string;
  /** Exporter status for the list of instances. */
  readonly details: () => unknown;
}

/**
 * Watches the two switches in their store and applies them to the instrumentation of this process.
 */
export async function startLiveSettings(
  options: LiveSettingsOptions,
): Promise<SettingsService<MetricsSettings>> {
  const { config, instrumentation, name, details } = options;
  const service = new SettingsService({
    schema: metricsSettings,
    defaults: {
      enabled: config.metrics.enabled,
      token_statistics: config.metrics.tokenStatistics,
    },
    store: configuredSettingsStore(config.settings),
    instance: { name, details },
  });
  const apply = (settings: MetricsSettings): void =>
    instrumentation.applySettings({
      enabled: settings.enabled,
      tokenStatistics: settings.token_statistics,
    });
  service.subscribe((change) => apply(change.settings));
  await service.start();
  apply(service.get());
  return service;
}
