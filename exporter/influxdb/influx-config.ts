import type { InfluxOptions, SpoolOptions } from './influx-options.ts';

/** The options as the configuration file has them. */
export interface InfluxStoreConfig extends Omit<InfluxOptions, 'spool'> {
  readonly spool?: SpoolOptions & { readonly enabled: boolean };
}

export function influxOptions({ spool, ...options }: InfluxStoreConfig): InfluxOptions {
  if (spool === undefined) return options;
  const { enabled, ...given } = spool;
  return { ...options, spool: enabled ? given : false };
}
