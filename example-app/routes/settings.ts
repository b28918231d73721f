import type { MetricsSettings } from 'otel-token-meter/settings';
import { settingsDocument, settingsPatch } from '../schemas.ts';
import type { ApiRoute } from './api-route.ts';
import {
  type SettingsDocument,
  type SettingsRoutesOptions,
  documentRoutes,
} from './settings-document.ts';

/** The two live switches. */
const switches: SettingsDocument<MetricsSettings> = {
  path: '/api/settings/metrics',
  noun: 'settings',
  events: { settings: 'settings', status: 'status', instances: 'instances' },
  hasIds: true,
  schema: settingsDocument,
  patchSchema: settingsPatch,
  bodyLimitBytes: 4096,
};

export function settingsRoutes(
  options: SettingsRoutesOptions<MetricsSettings>,
): readonly ApiRoute[] {
  return documentRoutes(switches, options);
}
