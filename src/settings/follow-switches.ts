import { type MetricsSettings, type ScopedSwitches, scopedSwitches } from './metrics-settings.ts';
import type { SettingsService } from './settings-service.ts';

/** What to do with calls while nobody knows whether they are to be recorded. */
export type WhenUnknown = 'hold' | 'off' | 'default';

/** A `TokenMeterInstrumentation`. */
export interface SwitchTarget {
  applySettings(settings: {
    readonly enabled?: boolean;
    readonly tokenStatistics?: boolean;
    readonly teams?: ScopedSwitches['teams'];
    readonly services?: ScopedSwitches['services'];
    readonly hold?: boolean;
  }): void;
}

const NO_SCOPES: ScopedSwitches = { teams: {}, services: {} };

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
    const settings = service.get();
    const { enabled, token_statistics: tokenStatistics } = settings;
    if (isHeld()) target.applySettings({ hold: true });
    else if (service.status.state === 'unknown' && whenUnknown === 'off') {
      target.applySettings({ enabled: false, tokenStatistics, ...NO_SCOPES, hold: false });
    } else {
      target.applySettings({
        enabled,
        tokenStatistics,
        ...scopedSwitches(settings),
        hold: false,
      });
    }
  };
  const ends = [service.subscribe(apply), service.subscribeStatus(apply)];
  apply();
  return () => {
    for (const end of ends) end();
    if (isHeld()) target.applySettings({ enabled: false, ...NO_SCOPES, hold: false });
  };
}
