import type { TokenMeterInstrumentation } from 'otel-token-meter';
import {
  budgetsDocument,
  budgetsSettings,
  followBudgets,
  type BudgetsDocument,
} from 'otel-token-meter/budgets';
import type { TokenMeterConfig } from 'otel-token-meter/config';
import { configuredSettingsStore, SettingsService } from 'otel-token-meter/settings';

export interface LiveBudgets {
  readonly settings: SettingsService<BudgetsDocument>;
  close(): Promise<void>;
}

/** Watches the budgets in their store and applies them to the calls of this process. */
export async function startLiveBudgets(
  { budgets, settings: store }: TokenMeterConfig,
  instrumentation: TokenMeterInstrumentation,
  name: string,
): Promise<LiveBudgets> {
  const settings = new SettingsService({
    schema: budgetsSettings,
    defaults: budgetsDocument(budgets),
    store: configuredSettingsStore(store, { document: 'budgets' }),
    instance: { name },
  });
  const end = followBudgets(settings, instrumentation);
  await settings.start();
  return {
    settings,
    async close() {
      end();
      await settings.close();
    },
  };
}
