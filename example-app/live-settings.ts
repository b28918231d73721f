import type { TokenMeterInstrumentation } from 'otel-token-meter';
import type { TokenMeterConfig } from 'otel-token-meter/config';
import {
  FileSettingsStore,
  MemorySettingsStore,
  metricsSettings,
  RedisSettingsStore,
  SettingsService,
  type MetricsSettings,
  type SettingsStore,
} from 'otel-token-meter/settings';

export interface LiveSettingsOptions {
  readonly config: TokenMeterConfig;
  readonly instrumentation: TokenMeterInstrumentation;
  readonly name: string;
  /** For the instances view: the exporter's status. */
  readonly details: () => unknown;
}

/** The two switches, followed wherever they are kept, and applied to this process's instrumentation. */
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
    store: storeOf(config.settings),
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

function storeOf({ store, file, redis }: TokenMeterConfig['settings']): SettingsStore {
  switch (store) {
    case 'memory':
      return new MemorySettingsStore();
    case 'file':
      return new FileSettingsStore({ path: file.path });
    case 'redis':
      return new RedisSettingsStore(redis);
  }
}
