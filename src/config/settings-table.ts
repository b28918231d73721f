import type { Setting } from './setting.ts';
import { alerts } from './settings/alerts.ts';
import { budgets } from './settings/budgets.ts';
import { instrumentation } from './settings/instrumentation.ts';
import { liveSettings } from './settings/live-settings.ts';
import { metrics } from './settings/metrics.ts';
import { prices } from './settings/prices.ts';
import { storeSettings } from './settings/stores.ts';

/**
 * All settings. Validation, environment variables, defaults, the tables in docs/configuration.md
 * and the JSON Schema are generated from this list.
 */
export const settingsTable: readonly Setting[] = [
  ...instrumentation,
  ...prices,
  ...metrics,
  ...Object.values(storeSettings).flat(),
  ...budgets,
  ...alerts,
  ...liveSettings,
];
