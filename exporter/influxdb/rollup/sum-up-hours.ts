import { checkQuery, type Dimension } from '../../ledger/queries/checked-query.ts';
import { dimensionKey } from '../../ledger/queries/dimension-key.ts';
import { CallScan } from '../read/call-scan.ts';
import { BoundValues, timeRange } from '../read/influxql.ts';
import type { InfluxQueryClient } from '../read/query-client.ts';
import { tagNamesOf } from '../read/tag-names.ts';
import type { TimeRange } from '../read/time-ranges.ts';
import { dimensionOfTag } from '../usage-schema.ts';
import { RollUpTables } from './hour-tables.ts';
import { HOUR_MS } from './roll-up-schema.ts';

/** Tables of the given hours of one day. A query opens every series of its range, so it asks for all at once. */
export async function sumUpHours(
  client: InfluxQueryClient,
  starts: readonly number[],
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<number, RollUpTables>> {
  const [first, last] = [starts[0], starts.at(-1)];
  if (first === undefined || last === undefined) return new Map();
  const own = await ownDimensions(client, { fromMs: first, toMs: last + HOUR_MS }, signal);
  const sums = new Map(starts.map((start) => [start, new RollUpTables(own)]));
  const [from, to] = [new Date(first), new Date(last + HOUR_MS)];
  const query = {
    ...(await checkQuery({ from, to })),
    dimensions: new RollUpTables(own).dimensions,
  };
  const scan = new CallScan(query);
  const bound = new BoundValues();
  const q = scan.statement(query.fromMs, query.toMs, bound);
  for await (const series of client.query(q, { bound, epoch: 'ms', signal })) {
    for (const call of scan.calls(series)) {
      sums.get(Math.floor(call.timeMs / HOUR_MS) * HOUR_MS)?.addCall(call);
    }
  }
  return sums;
}

/** Those that calls of the range have. */
async function ownDimensions(
  client: InfluxQueryClient,
  { fromMs, toMs }: TimeRange,
  signal: AbortSignal | undefined,
): Promise<readonly Dimension[]> {
  const where = timeRange(fromMs, toMs);
  const tags = await tagNamesOf(client, where, new BoundValues(), signal);
  const names = tags.map(dimensionOfTag).filter((name) => name !== undefined);
  return names.toSorted().map(dimensionKey);
}
