import { readFileSync } from 'node:fs';
import type { TokenMeterConfig } from '../config/index.ts';
import { warnHost } from '../host/host-warning.ts';
import type { TokenMeterInstrumentation } from '../instrumentation.ts';
import { metricsSettings, SettingsService, type MetricsSettings } from '../settings/index.ts';
import { parseStoredSettings } from '../settings/stored-settings-json.ts';
import { configuredSettingsStore } from '../settings/stores/configured.ts';

/** Keeps the two switches as the configured store has them, in the background. Never throws. */
export function followSettings(
  { metrics, settings }: TokenMeterConfig,
  instrumentation: TokenMeterInstrumentation,
  details: () => unknown,
): { close(): Promise<void> } {
  if (settings.store === 'memory') return { close: () => Promise.resolve() };
  try {
    const service = new SettingsService({
      schema: metricsSettings,
      defaults: { enabled: metrics.enabled, token_statistics: metrics.tokenStatistics },
      store: configuredSettingsStore(settings, { background: true }),
      // Nothing waits for it here, and a busy machine is no lost store.
      startTimeoutMs: 10_000,
      instance: { name: process.env['OTEL_SERVICE_NAME'] ?? 'app', details },
    });
    const apply = ({ enabled, token_statistics: tokenStatistics }: MetricsSettings): void =>
      instrumentation.applySettings({ enabled, tokenStatistics });
    if (settings.store === 'file') apply(asStored(settings.file.path, service.get()));
    service.subscribe((change) => apply(change.settings));
    void service.start().then(() => apply(service.get()));
    return service;
  } catch (error) {
    warnHost('TOKEN_METER_SETTINGS', `the settings store cannot be used: ${String(error)}`);
    return { close: () => Promise.resolve() };
  }
}

/** What a file says already, so that it holds from the very first call. */
function asStored(path: string, defaults: MetricsSettings): MetricsSettings {
  try {
    const stored = parseStoredSettings(readFileSync(path, 'utf8'))?.values ?? {};
    return { ...defaults, ...stored };
  } catch {
    return defaults;
  }
}
