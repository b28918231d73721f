import type { MetricsSettings } from './metrics-settings.ts';
import type { SettingsService } from './settings-service.ts';

/** What to do with calls while nobody knows whether they are to be recorded. */
export type WhenUnknown = 'hold' | 'off' | 'default';

/** A `TokenMeterInstrumentation`. */
export interface SwitchTarget {
  applySettings(settings: {
    readonly enabled?: boolean;
    readonly tokenStatistics?: boolean;
    readonly hold?: boolean;
  }): void;
}

/**
 * Applies the switches of the service to an instrumentation. While the settings are unknown, `hold`
 * holds finished records, `off` records nothing, and `default` uses the configured defaults. Returns a
 * function that ends it; records that are still held are then dropped and counted.
 */
export function followSwitches(
  service: SettingsService<MetricsSettings>,
  target: SwitchTarget,
  whenUnknown: WhenUnknown = 'hold',
): () => void {
  const isHeld = (): boolean => service.status.state === 'unknown' && whenUnknown === 'hold';
  const apply = (): void => {
    const { enabled, token_statistics: tokenStatistics } = service.get();
    if (isHeld()) target.applySettings({ hold: true });
    else if (service.status.state === 'unknown' && whenUnknown === 'off') {
      target.applySettings({ enabled: false, tokenStatistics, hold: false });
    } else target.applySettings({ enabled, tokenStatistics, hold: false });
  };
  const ends = [service.subscribe(apply), service.subscribeStatus(apply)];
  apply();
  return () => {
    for (const end of ends) end();
    if (isHeld()) target.applySettings({ enabled: false, hold: false });
  };
}
