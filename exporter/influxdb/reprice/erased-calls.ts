import { DatabaseLedgers } from '../erase/database-ledgers.ts';
import type { ResolvedInfluxOptions } from '../influx-options.ts';
import { LEDGER, name, timeRange } from '../read/influxql.ts';
import type { InfluxQueryClient } from '../read/query-client.ts';
import type { TimeRange } from '../read/time-ranges.ts';
import { USAGE_FIELDS } from '../usage-schema.ts';

/**
 * Takes back new costs of calls that were erased between being read and being written: a write makes the point again,
 * with nothing but the cost and the tags, of which one is the user. 3.x deletes no calls.
 */
export async function removeCostsOfErased(
  client: InfluxQueryClient,
  target: ResolvedInfluxOptions,
  ranges: readonly TimeRange[],
  signal: AbortSignal | undefined,
): Promise<void> {
  if (ranges.length === 0 || (await client.version()) === '3') return;
  let ledgers: DatabaseLedgers | undefined;
  try {
    for (const { fromMs, toMs } of ranges) {
      const fields = [USAGE_FIELDS.calls, USAGE_FIELDS.costUsd];
      const q = `SELECT ${fields.map(name).join(', ')} FROM ${LEDGER} WHERE ${timeRange(fromMs, toMs)} GROUP BY *`;
      const found: { tags: Readonly<Record<string, string>>; time: string }[] = [];
      for await (const { tags, columns, values } of client.query(q, { signal })) {
        const [timeAt, callsAt] = [columns.indexOf('time'), columns.indexOf(USAGE_FIELDS.calls)];
        for (const row of values) {
          if (typeof row[callsAt] !== 'number') found.push({ tags, time: String(row[timeAt]) });
        }
      }
      for (const { tags, time } of found) {
        ledgers ??= await DatabaseLedgers.of(client, target, signal);
        const owners = await ledgers.owners(tags, time, signal);
        if (owners.length === 0) await ledgers.delete(tags, time, time);
      }
    }
  } finally {
    ledgers?.close();
  }
}
