import type { UsageReader } from 'otel-token-meter/exporter';
import { resolveConfig } from '../config/resolve.ts';
import { TokenMeterError } from '../errors.ts';
import type { CliIo } from './io.ts';

/** `parseArgs` options of every command that reads the ledger. */
export const SOURCE_OPTIONS = {
  sqlite: { type: 'string' },
  config: { type: 'string' },
} as const;

export const SOURCE_HELP = `  --sqlite FILE    Reads this ledger file
  --config FILE    Reads where this configuration writes (default: OTEL_CONFIG_FILE); INFLUX_URL,
                   INFLUX_TOKEN, INFLUX_BUCKET and the other variables count as for the application
`;

/** Where the ledger is; `close` belongs to the reader. */
export interface UsageSource {
  readonly reader: UsageReader;
  /** For people: a file name, or an address without credentials. */
  readonly name: string;
  readonly pricesFile?: string;
}

/**
 * The ledger that the application writes, by its own configuration. The exporter is loaded here and by
 * its published name: the command line is the one part of the plugin that reads what was written.
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
      `the configured provider ${provider} cannot be read back`,
      { value: provider, allowed: '--sqlite FILE, or a configuration with influxdb or sqlite' },
    );
  }
  // Without any configuration: where the embedded ledger is by default.
  const path = values.sqlite ?? sqlite.path;
  return { reader: new SqliteUsageReader({ path }), name: path, ...prices };
}
