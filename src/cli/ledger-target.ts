import { influxOptions } from '../config/index.ts';
import type { InfluxExporterOptions } from '../config/index.ts';
import { resolveConfig } from '../config/resolve.ts';
import { TokenMeterError } from '../errors.ts';
import type { CliIo } from './io.ts';

/** The ledger that a command changes or copies. */
export type LedgerTarget = { readonly userIdHashKey?: string } & (
  | { readonly kind: 'sqlite'; readonly path: string }
  | { readonly kind: 'influxdb'; readonly options: InfluxExporterOptions; readonly where: string }
);

/** The file that is named, or where the configuration writes. */
export function ledgerTarget(
  values: { readonly sqlite?: string | undefined; readonly config?: string | undefined },
  io: CliIo,
): LedgerTarget {
  const { values: config } = resolveConfig({
    env: io.env,
    ...(values.config !== undefined && { file: values.config }),
  });
  const { userIdHashKey } = config;
  const key = userIdHashKey === undefined ? {} : { userIdHashKey };
  const { provider, influxdb, sqlite } = config.metrics;
  if (values.sqlite !== undefined) return { kind: 'sqlite', path: values.sqlite, ...key };
  if (provider === 'influxdb') {
    const where = `${new URL(influxdb.url).host}/${influxdb.bucket}`;
    return { kind: 'influxdb', options: influxOptions(influxdb), where, ...key };
  }
  if (provider === 'otlp' || provider === 'none') {
    throw new TokenMeterError(
      'INVALID_OPTION',
      `the configured provider ${provider} keeps its records elsewhere`,
      { value: provider, allowed: '--sqlite FILE, or a configuration with influxdb or sqlite' },
    );
  }
  return { kind: 'sqlite', path: sqlite.path, ...key };
}
