import { conditions, BoundValues, LEDGER, name, timeRange } from '../read/influxql.ts';
import type { InfluxQueryClient } from '../read/query-client.ts';
import { slices, type TimeRange } from '../read/time-ranges.ts';
import { USAGE_FIELDS } from '../usage-schema.ts';
import { DAY_MS } from './roll-up-schema.ts';

const WEEK_MS = 7 * DAY_MS;

/** Calls by the start of their hour, where there are any. */
export async function callsByHour(
  client: InfluxQueryClient,
  range: TimeRange,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<number, number>> {
  const counts = new Map<number, number>();
  const isShort = (await client.version()) === '3';
  for (const piece of slices(range, isShort ? DAY_MS : WEEK_MS)) {
    const where = timeRange(piece.fromMs, piece.toMs) + conditions([], new BoundValues());
    const q = `SELECT count(${name(USAGE_FIELDS.calls)}) FROM ${LEDGER} WHERE ${where} GROUP BY time(1h) fill(none)`;
    for await (const { values } of client.query(q, { epoch: 'ms', signal })) {
      for (const [time, calls] of values) {
        if (Number(calls) > 0) counts.set(Number(time), Number(calls));
      }
    }
  }
  return counts;
}
