import type { Setting } from './setting.ts';
import { alerts } from './settings/alerts.ts';
import { influxdb } from './settings/influxdb.ts';
import { instrumentation } from './settings/instrumentation.ts';
import { liveSettings } from './settings/live-settings.ts';
import { metrics } from './settings/metrics.ts';

/**
 * Every setting, once: validation, environment variables, defaults, the table of the docs and the
 * JSON Schema are made from this list.
 */
export const settingsTable: readonly Setting[] = [
  ...instrumentation,
  ...metrics,
  ...influxdb,
  ...alerts,
  ...liveSettings,
];
