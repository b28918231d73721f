import type { StoreConfigs, UsageStore } from 'otel-token-meter/exporter';
import { resolveConfig } from '../../config/resolve.ts';
import { isStore } from '../../config/settings/stores.ts';
import { TokenMeterError } from '../../errors.ts';
import type { CliIo } from '../io.ts';

const ALLOWED =
  'sqlite[:FILE], influxdb[:URL] or clickhouse[:URL]; what is left out comes from the configuration';

/**
 * A ledger as a command line names it: `sqlite:usage.db`, `clickhouse:http://localhost:8123/llm`, or the store alone.
 * Without a spool: what the server does not take is still in the other ledger. Throws `INVALID_OPTION`.
 */
export async function namedLedger(
  option: string,
  name: string,
  configFile: string | undefined,
  io: CliIo,
): Promise<UsageStore> {
  const { usageStore } = await import('otel-token-meter/exporter');
  const { values: config } = resolveConfig({
    env: io.env,
    ...(configFile !== undefined && { file: configFile }),
  });
  const [, store = '', place = ''] = /^([a-z]+)(?::([^]*))?$/.exec(name) ?? [];
  if (!isStore(store)) {
    // Behind the colon may stand a password.
    throw new TokenMeterError('INVALID_OPTION', `${option} names no ledger`, {
      value: name.split(':')[0],
      allowed: ALLOWED,
    });
  }
  const { influxdb, sqlite, clickhouse } = config.metrics;
  const url = place === '' ? {} : { url: place };
  const configs: StoreConfigs = {
    sqlite: { path: place === '' ? sqlite.path : place },
    influxdb: { ...influxdb, ...url, spool: { ...influxdb.spool, enabled: false } },
    clickhouse: { ...clickhouse, ...url, spool: { ...clickhouse.spool, enabled: false } },
  };
  return usageStore(store, configs);
}
