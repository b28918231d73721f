import type { InfluxConfig } from './settings/influxdb.ts';

/** Options of the InfluxDB exporter, processor and reader. */
export interface InfluxExporterOptions extends Omit<InfluxConfig, 'spool'> {
  readonly spool: Omit<InfluxConfig['spool'], 'enabled'> | false;
}

export function influxOptions(config: InfluxConfig): InfluxExporterOptions {
  const { spool, ...rest } = config;
  const { enabled, ...options } = spool;
  return { ...rest, spool: enabled ? options : false };
}
