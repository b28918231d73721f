import { type SpoolConfig, spoolOfConfig } from '../delivery/spool-options.ts';
import type { InfluxOptions } from './influx-options.ts';

/** The options as the configuration file has them. */
export interface InfluxStoreConfig extends Omit<InfluxOptions, 'spool'> {
  readonly spool?: SpoolConfig;
}

export function influxOptions({ spool, ...options }: InfluxStoreConfig): InfluxOptions {
  return { ...options, ...spoolOfConfig(spool) };
}
