import { parseScopedName } from './scoped-name.ts';
import type { SettingsSchema } from './settings-schema.ts';

type SwitchName = 'enabled' | 'token_statistics';

/** The two live switches of the plugin, by their names on the wire. */
export interface MetricsSettings {
  readonly enabled: boolean;
  readonly token_statistics: boolean;
  /** For the calls of one team or service: `enabled@team:search`. A team's comes before that of a service. */
  readonly [scoped: `${SwitchName}@${'team' | 'service'}:${string}`]: boolean;
}

export const metricsSettings: SettingsSchema<MetricsSettings> = {
  enabled: {
    type: 'boolean',
    default: true,
    hasScopes: true,
    description: 'Off: no span, no metric and no usage record of any call.',
  },
  token_statistics: {
    type: 'boolean',
    default: true,
    hasScopes: true,
    description:
      'Off: calls are still recorded with user, model, conversation, time, duration and outcome, but no token is read or counted.',
  },
};

interface SomeSwitches {
  enabled?: boolean;
  tokenStatistics?: boolean;
}

/** The switches of teams and services, as an instrumentation takes them. */
export interface ScopedSwitches {
  readonly teams: Readonly<Record<string, SomeSwitches>>;
  readonly services: Readonly<Record<string, SomeSwitches>>;
}

export function scopedSwitches(settings: MetricsSettings): ScopedSwitches {
  const found = { team: new Map<string, SomeSwitches>(), service: new Map<string, SomeSwitches>() };
  for (const [text, value] of Object.entries(settings)) {
    const scoped = parseScopedName(text);
    if (scoped === undefined) continue;
    const { key, scope, name } = scoped;
    const switches = found[scope].get(name) ?? {};
    found[scope].set(name, switches);
    switches[key === 'enabled' ? 'enabled' : 'tokenStatistics'] = value;
  }
  return {
    teams: Object.fromEntries(found.team),
    services: Object.fromEntries(found.service),
  };
}
