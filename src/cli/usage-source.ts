import type { UsageReader } from 'otel-token-meter/exporter';
import type { CliIo } from './io.ts';
import { ledgerTarget } from './ledger-target.ts';
import type { ConfiguredPrices } from './price-options.ts';

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
export interface UsageSource extends ConfiguredPrices {
  readonly reader: UsageReader;
  /** Display name: a file name, or a URL without credentials. */
  readonly name: string;
}

/** Opens the ledger of a command: see `ledgerTarget`. */
export async function openUsageSource(
  values: { readonly sqlite?: string | undefined; readonly config?: string | undefined },
  io: CliIo,
): Promise<UsageSource> {
  const { store, prices, pricesFile } = await ledgerTarget(values, io);
  return {
    reader: store.reader(),
    name: store.where,
    prices,
    ...(pricesFile !== undefined && { pricesFile }),
  };
}
