import type { Setting, SettingValue } from './setting.ts';

interface Implication {
  readonly variable: string;
  readonly value: SettingValue;
  /** Checks the value of the variable. Without it, any value counts. */
  readonly says?: (text: string) => boolean;
}

/** Variables that imply one of our settings when it is not set directly; the first one that is set counts. */
const implications: Readonly<Record<string, readonly Implication[]>> = {
  metric_names: [
    {
      variable: 'OTEL_SEMCONV_STABILITY_OPT_IN',
      value: 'latest',
      says: (text) =>
        text
          .split(',')
          .map((word) => word.trim())
          .includes('gen_ai_latest_experimental'),
    },
  ],
  'metrics.provider': [
    { variable: 'INFLUX_URL', value: 'influxdb' },
    { variable: 'CLICKHOUSE_URL', value: 'clickhouse' },
  ],
  'settings.store': [{ variable: 'REDIS_URL', value: 'redis' }],
};

/** The value of a setting that the environment implies. */
export function implied(
  setting: Setting,
  env: Readonly<Record<string, string | undefined>>,
):
  | {
      readonly value: SettingValue;
      readonly origin: { readonly from: 'env'; readonly variable: string };
    }
  | undefined {
  for (const implication of implications[setting.key] ?? []) {
    const { variable, value, says = (text: string): boolean => text.trim() !== '' } = implication;
    const text = env[variable];
    if (text !== undefined && says(text)) return { value, origin: { from: 'env', variable } };
  }
  return undefined;
}
