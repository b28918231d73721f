import type { UsageStore } from 'otel-token-meter/exporter';
import { resolveConfig } from '../config/resolve.ts';
import type { PricesConfig } from '../config/settings/prices.ts';
import { TokenMeterError } from '../errors.ts';
import type { CliIo } from './io.ts';

/** The ledger that a command reads or changes. */
export interface LedgerTarget {
  readonly store: UsageStore;
  readonly userIdHashKey?: string;
  readonly pricesFile?: string;
  readonly prices: PricesConfig;
}

/**
 * The given SQLite file, or the ledger that the application writes according to its configuration. The
 * exporter is loaded lazily by its published name, since `src` does not import `exporter`.
 */
export async function ledgerTarget(
  values: { readonly sqlite?: string | undefined; readonly config?: string | undefined },
  io: CliIo,
): Promise<LedgerTarget> {
  const { usageStore } = await import('otel-token-meter/exporter');
  const { values: config } = resolveConfig({
    env: io.env,
    ...(values.config !== undefined && { file: values.config }),
  });
  const { userIdHashKey, pricesFile, prices, metrics } = config;
  const file = values.sqlite === undefined ? {} : { path: values.sqlite };
  // Without configuration (`console`), the default path of the SQLite ledger.
  const isDefault = values.sqlite !== undefined || metrics.provider === 'console';
  const provider = isDefault ? 'sqlite' : metrics.provider;
  const store = usageStore(provider, { ...metrics, sqlite: { ...metrics.sqlite, ...file } });
  if (store === undefined) {
    throw new TokenMeterError(
      'INVALID_OPTION',
      `records of the configured provider ${provider} cannot be read`,
      {
        value: provider,
        allowed: '--sqlite FILE, or a configuration whose provider keeps a ledger',
      },
    );
  }
  return {
    store,
    prices,
    ...(userIdHashKey !== undefined && { userIdHashKey }),
    ...(pricesFile !== undefined && { pricesFile }),
  };
}
