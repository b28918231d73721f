import { influxOptions, type InfluxStoreConfig } from './influx-config.ts';
import { resolveInfluxOptions } from './influx-options.ts';
import { BoundValues, LEDGER, name } from './read/influxql.ts';
import { type InfluxQueryClient, READ_TIMEOUT_MS } from './read/query-client.ts';
import { LedgerClients } from './rollup/ledger-clients.ts';
import { DAYS_MEASUREMENT, HOURS_MEASUREMENT } from './rollup/roll-up-schema.ts';
import { USAGE_FIELDS } from './usage-schema.ts';

/** What a bucket holds. The server tells how many bytes that takes only to its administrator. */
export interface InfluxLedgerSize {
  readonly calls: number;
  /** Hours that are summed up. */
  readonly rolledUpHours: number;
  /** Days that are summed up. */
  readonly rolledUpDays: number;
}

/**
 * Undefined for 3.x, which answers no question about everything. Counts every call, which takes a second a million.
 * Rejects with `INVALID_OPTION`, `BACKEND_REFUSED` or `BACKEND_UNREACHABLE`, or the reason of `signal`.
 */
export async function influxLedgerSize(
  config: InfluxStoreConfig,
  signal?: AbortSignal,
): Promise<InfluxLedgerSize | undefined> {
  const target = resolveInfluxOptions('influxLedgerSize', {
    ...influxOptions(config),
    spool: false,
  });
  const clients = new LedgerClients({ ...target, timeoutMs: READ_TIMEOUT_MS });
  const { calls, rollUps, place } = clients;
  try {
    if ((await calls.version()) === '3') return undefined;
    const bound = new BoundValues();
    const where = place.condition(bound).replace(' AND', ' WHERE');
    const count = async (client: InfluxQueryClient, q: string): Promise<number> => {
      for await (const { values } of client.query(q, { bound, epoch: 'ms', signal })) {
        return Number(values[0]?.[1] ?? 0);
      }
      return 0;
    };
    const rolledUp = async (from: string): Promise<number> =>
      await count(rollUps, `SELECT count(calls) FROM ${name(from)}${where}`);
    return {
      calls: await count(calls, `SELECT count(${name(USAGE_FIELDS.calls)}) FROM ${LEDGER}`),
      rolledUpHours: await rolledUp(HOURS_MEASUREMENT),
      rolledUpDays: await rolledUp(DAYS_MEASUREMENT),
    };
  } finally {
    clients.close();
  }
}
