import { setTimeout as sleep } from 'node:timers/promises';
import type { TokenMeterConfig } from '../config/index.ts';
import { warnHost } from '../host/host-warning.ts';
import type { TokenMeterInstrumentation } from '../instrumentation.ts';
import { followSwitches, metricsSettings, SettingsService } from '../settings/index.ts';
import { configuredSettingsStore } from '../settings/stores/configured.ts';

export interface FollowedSettings {
  /** Waits, but not long, until the store has said whether calls are to be recorded. */
  known(): Promise<void>;
  close(): Promise<void>;
  /** Withdraws this instance without waiting for anything, where the store can. */
  leave(): void;
}

/** How long a process that ends waits for a store that has not answered yet. */
const KNOWN_WITHIN_MS = 1500;

const NOTHING_TO_FOLLOW: FollowedSettings = {
  known: () => Promise.resolve(),
  close: () => Promise.resolve(),
  leave: () => undefined,
};

/** Keeps the two switches as the configured store has them, in the background. Never throws. */
export function followSettings(
  { metrics, settings }: TokenMeterConfig,
  instrumentation: TokenMeterInstrumentation,
  details: () => object,
): FollowedSettings {
  if (settings.store === 'memory') return NOTHING_TO_FOLLOW;
  try {
    const service = new SettingsService({
      schema: metricsSettings,
      defaults: { enabled: metrics.enabled, token_statistics: metrics.tokenStatistics },
      store: configuredSettingsStore(settings, { background: true }),
      // Nothing waits for it here, and a busy machine is no lost store.
      startTimeoutMs: 10_000,
      instance: {
        name: process.env['OTEL_SERVICE_NAME'] ?? 'app',
        details: () => ({ ...details(), held: instrumentation.held }),
      },
    });
    const end = followSwitches(service, instrumentation, settings.whenUnknown);
    const started = service.start();
    return {
      known: async () => {
        // Nothing else may hold the process by now.
        const enough = new AbortController();
        const late = sleep(KNOWN_WITHIN_MS, undefined, { signal: enough.signal });
        await Promise.race([started, late.catch(() => undefined)]);
        enough.abort();
      },
      async close() {
        end();
        await service.close();
      },
      leave: () => service.leave(),
    };
  } catch (error) {
    warnHost('TOKEN_METER_SETTINGS', `the settings store cannot be used: ${String(error)}`);
    return NOTHING_TO_FOLLOW;
  }
}
