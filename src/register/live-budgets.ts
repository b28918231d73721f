import { followBudgets, budgetsDocument, budgetsSettings } from '../budgets/live-budgets.ts';
import type { TokenMeterConfig } from '../config/index.ts';
import { warnHost } from '../host/host-warning.ts';
import type { TokenMeterInstrumentation } from '../instrumentation.ts';
import { SettingsService } from '../settings/index.ts';
import { configuredSettingsStore } from '../settings/stores/configured.ts';

export interface FollowedBudgets {
  close(): Promise<void>;
  /** Withdraws this instance without waiting for anything, where the store can. */
  leave(): void;
}

const NOTHING_TO_FOLLOW: FollowedBudgets = {
  close: () => Promise.resolve(),
  leave: () => undefined,
};

/** Keeps the budgets as the configured store has them, in the background. Never throws. */
export function followLiveBudgets(
  { budgets, settings }: TokenMeterConfig,
  instrumentation: TokenMeterInstrumentation,
): FollowedBudgets {
  if (settings.store === 'memory') return NOTHING_TO_FOLLOW;
  try {
    const service = new SettingsService({
      schema: budgetsSettings,
      defaults: budgetsDocument(budgets),
      store: configuredSettingsStore(settings, { background: true, document: 'budgets' }),
      startTimeoutMs: 10_000,
      instance: { name: process.env['OTEL_SERVICE_NAME'] ?? 'app' },
    });
    const end = followBudgets(service, instrumentation);
    void service.start();
    return {
      async close() {
        end();
        await service.close();
      },
      leave: () => service.leave(),
    };
  } catch (error) {
    warnHost('TOKEN_METER_SETTINGS', `the budgets of the store cannot be used: ${String(error)}`);
    return NOTHING_TO_FOLLOW;
  }
}
