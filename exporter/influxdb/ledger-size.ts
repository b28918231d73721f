import { influxOptions, type InfluxStoreConfig } from './influx-config.ts';
import { resolveInfluxOptions } from './influx-options.ts';
import { LEDGER, name } from './read/influxql.ts';
import { InfluxQueryClient, READ_TIMEOUT_MS } from './read/query-client.ts';
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
  const client = new InfluxQueryClient({ ...target, timeoutMs: READ_TIMEOUT_MS });
  try {
    if ((await client.version()) === '3') return undefined;
    const count = async (field: string, from: string): Promise<number> => {
      const q = `SELECT count(${name(field)}) FROM ${from}`;
      for await (const { values } of client.query(q, { epoch: 'ms', signal })) {
        return Number(values[0]?.[1] ?? 0);
      }
      return 0;
    };
    return {
      calls: await count(USAGE_FIELDS.calls, LEDGER),
      rolledUpHours: await count('calls', name(HOURS_MEASUREMENT)),
      rolledUpDays: await count('calls', name(DAYS_MEASUREMENT)),
    };
  } finally {
    client.close();
  }
}
