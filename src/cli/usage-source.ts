import type { UsageReader } from 'otel-token-meter/exporter';
import { resolveConfig } from '../config/resolve.ts';
import { TokenMeterError } from '../errors.ts';
import type { CliIo } from './io.ts';

/** `parseArgs` options of commands that read the ledger. */
export const SOURCE_OPTIONS = {
  sqlite: { type: 'string' },
  config: { type: 'string' },
} as const;

export const SOURCE_HELP = `  --sqlite FILE    Read this SQLite ledger
  --config FILE    Read the ledger that this configuration writes (default: OTEL_CONFIG_FILE). INFLUX_URL,
                   INFLUX_TOKEN, INFLUX_BUCKET and the other variables apply as in the application
`;

/** An open ledger. Closing the reader closes it. */
export interface UsageSource {
  readonly reader: UsageReader;
  /** Display name: a file name, or a URL without credentials. */
  readonly name: string;
  readonly pricesFile?: string;
}

/**
 * Opens the ledger that the application writes according to its configuration. The exporter is
 * loaded lazily by its published name, since `src` does not import `exporter`.
 */
export async function openUsageSource(
  values: { readonly sqlite?: string | undefined; readonly config?: string | undefined },
  io: CliIo,
): Promise<UsageSource> {
  const { InfluxUsageReader, SqliteUsageReader } = await import('otel-token-meter/exporter');
  const { values: config } = resolveConfig({
    env: io.env,
    ...(values.config !== undefined && { file: values.config }),
  });
  const prices = config.pricesFile === undefined ? {} : { pricesFile: config.pricesFile };
  const { provider, influxdb, sqlite } = config.metrics;
  if (values.sqlite === undefined && provider === 'influxdb') {
    const { url, bucket, org, token, username, password, version } = influxdb;
    const reader = new InfluxUsageReader({ url, bucket, org, token, username, password, version });
    return { reader, name: `${new URL(url).host}/${bucket}`, ...prices };
  }
  if (values.sqlite === undefined && (provider === 'otlp' || provider === 'none')) {
    throw new TokenMeterError(
      'INVALID_OPTION',
      `records of the configured provider ${provider} cannot be read`,
      { value: provider, allowed: '--sqlite FILE, or a configuration with influxdb or sqlite' },
    );
  }
  // Without configuration, use the default path of the SQLite ledger.
  const path = values.sqlite ?? sqlite.path;
  return { reader: new SqliteUsageReader({ path }), name: path, ...prices };
}
