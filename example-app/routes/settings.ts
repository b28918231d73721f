import type { Context } from 'koa';
import { type MetricsSettings, parseScopedName } from 'otel-token-meter/settings';
import { teamsOf } from '../middleware/authentication.ts';
import { settingsDocument, settingsPatch } from '../schemas.ts';
import type { ApiRoute } from './api-route.ts';
import {
  type SettingsDocument,
  type SettingsRoutesOptions,
  documentRoutes,
} from './settings-document.ts';

/** A viewer of some teams sees the switches of all calls, of services and of these teams. */
function isShown(ctx: Context, name: string): boolean {
  const scoped = parseScopedName(name);
  return scoped?.scope !== 'team' || (teamsOf(ctx)?.includes(scoped.name) ?? true);
}

function shownPart<V extends object>(ctx: Context, values: V): V {
  const shown = Object.entries(values).filter(([name]) => isShown(ctx, name));
  return Object.fromEntries(shown) as V;
}

/** The two live switches, of all calls and of some teams and services. */
const switches: SettingsDocument<MetricsSettings> = {
  path: '/api/settings/metrics',
  noun: 'settings',
  events: { settings: 'settings', status: 'status', instances: 'instances' },
  hasIds: true,
  schema: settingsDocument,
  patchSchema: settingsPatch,
  bodyLimitBytes: 4096,
  shown: shownPart,
  isPassingShown: isShown,
  shownEntry(ctx, { reason, ...entry }) {
    if (teamsOf(ctx) === undefined) return { ...entry, ...(reason !== undefined && { reason }) };
    const to = shownPart(ctx, entry.to);
    if (Object.keys(to).length === 0 && Object.keys(entry.to).length > 0) return undefined;
    return {
      ...entry,
      to,
      from: shownPart(ctx, entry.from),
      undo: shownPart(ctx, entry.undo),
    };
  },
};

export function settingsRoutes(
  options: SettingsRoutesOptions<MetricsSettings>,
): readonly ApiRoute[] {
  return documentRoutes(switches, options);
}
