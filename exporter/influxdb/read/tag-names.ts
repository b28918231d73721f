import { USAGE_FIELDS } from '../usage-schema.ts';
import { type BoundValues, LEDGER, name } from './influxql.ts';
import type { InfluxQueryClient } from './query-client.ts';

/**
 * The tags of the records, in the order of their columns. Not by SHOW TAG KEYS: 2.x answers it for the default
 * policy of the database alone, and 3.x takes one statement a query.
 */
export async function tagNamesOf(
  client: InfluxQueryClient,
  where: string,
  bound: BoundValues,
  signal: AbortSignal | undefined,
): Promise<readonly string[]> {
  const calls = name(USAGE_FIELDS.calls);
  const q = `SELECT ${calls}, *::tag FROM ${LEDGER} WHERE ${where} ORDER BY time DESC LIMIT 1`;
  for await (const { columns } of client.query(q, { bound, signal })) {
    return columns.filter((column) => column !== 'time' && column !== USAGE_FIELDS.calls);
  }
  return [];
}
