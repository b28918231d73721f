import type { SettingsSchema } from './settings-schema.ts';

/** The two live switches of the plugin, by their names on the wire. */
export interface MetricsSettings {
  readonly enabled: boolean;
  readonly token_statistics: boolean;
}

export const metricsSettings: SettingsSchema<MetricsSettings> = {
  enabled: {
    type: 'boolean',
    default: true,
    description: 'Off: no span, no metric and no usage record of any call.',
  },
  token_statistics: {
    type: 'boolean',
    default: true,
    description:
      'Off: calls are still recorded with user, model, conversation, time, duration and outcome, but no token is read or counted.',
  },
};
