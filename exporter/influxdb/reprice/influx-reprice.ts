import type { UsageRecord } from '../../../src/domain/usage-record.ts';
import { USAGE_FIELDS } from '../usage-schema.ts';
import {
  type RepriceOptions,
  type RepriceResult,
  RepriceTally,
} from '../../ledger/reprice-tally.ts';
import { checkRecordsQuery } from '../../ledger/queries/checked-query.ts';
import { CostWriter } from './cost-writer.ts';
import { removeCostsOfErased } from './erased-calls.ts';
import { type InfluxAccess, resolveInfluxOptions } from '../influx-options.ts';
import { refreshRollUps } from '../rollup/influx-roll-up.ts';
import { LEDGER, name, timeRange } from '../read/influxql.ts';
import { InfluxQueryClient, READ_TIMEOUT_MS } from '../read/query-client.ts';
import { PointLayout } from '../read/point-layout.ts';
import { recordOfPoint } from '../read/stored-point.ts';
import { pieces, slices, type TimeRange, withinReach } from '../read/time-ranges.ts';

export interface InfluxRepriceOptions extends RepriceOptions, InfluxAccess {
  /** @default Date.now */
  readonly now?: () => number;
}

/** Calls between two words of progress. */
const PROGRESS_CALLS = 5000;
/** A query opens every series of every shard of its range: a week is one shard of a long ledger. */
const RANGE_MS = 7 * 86_400_000;

/**
 * Works out the cost of the calls in InfluxDB anew, each by the price of its time: a new cost, its source
 * and its missing parts are written over the old ones as the only fields of the point. A call whose price is unknown keeps what it has, since
 * no write takes a field away. Rejects with `INVALID_OPTION`, `BACKEND_REFUSED` or `BACKEND_UNREACHABLE`;
 * what was written by then stays, and a second run goes on from there.
 */
export async function repriceInfluxLedger(options: InfluxRepriceOptions): Promise<RepriceResult> {
  const { signal, onProgress, dryRun = false, now = Date.now } = options;
  const target = resolveInfluxOptions('repriceInfluxLedger', { ...options, spool: false });
  const { from, to } = options;
  const range = checkRecordsQuery({ ...(from && { from }), ...(to && { to }) });
  const client = new InfluxQueryClient({ ...target, timeoutMs: READ_TIMEOUT_MS });
  const tally = new RepriceTally(options.costOf);
  const writer = new CostWriter(target, tally, signal);
  // Neither sockets nor pauses of the writer hold a process, which this job is to do.
  const held = setInterval(() => {}, READ_TIMEOUT_MS);
  try {
    const ranges = await rangesOf(client, range, now(), signal);
    const changedRanges: TimeRange[] = [];
    for (const piece of ranges) {
      const before = tally.result().changed;
      for await (const { record, tags } of storedCalls(client, piece, signal)) {
        const change = tally.add(record);
        if (change !== undefined && !dryRun) await writer.write(record, tags, change);
        if (tally.calls % PROGRESS_CALLS === 0) onProgress?.(tally.result());
      }
      onProgress?.(tally.result());
      if (tally.result().changed > before) changedRanges.push(piece);
    }
    await writer.flush();
    if (!dryRun) await removeCostsOfErased(client, target, changedRanges, signal);
    if (changedRanges.length > 0 && !dryRun)
      await refreshRollUps(target, spanOf(ranges), now, signal);
    return tally.result();
  } finally {
    clearInterval(held);
    writer.close();
    client.close();
  }
}

const spanOf = (ranges: readonly TimeRange[]): TimeRange => ({
  fromMs: ranges[0]?.fromMs ?? 0,
  toMs: ranges.at(-1)?.toMs ?? 0,
});

/** Pieces from the first call of the range to its last. */
async function rangesOf(
  client: InfluxQueryClient,
  range: TimeRange,
  now: number,
  signal: AbortSignal | undefined,
): Promise<readonly TimeRange[]> {
  const version = await client.version();
  signal?.throwIfAborted();
  if (version === '3') return pieces(withinReach(range, version, now), version);
  const where = timeRange(range.fromMs, range.toMs);
  const end = async (which: 'first' | 'last'): Promise<number | undefined> => {
    const q = `SELECT ${which}(${name(USAGE_FIELDS.calls)}) FROM ${LEDGER} WHERE ${where}`;
    for await (const { values } of client.query(q, { epoch: 'ms', signal })) {
      return Number(values[0]?.[0]);
    }
    return undefined;
  };
  const [fromMs, last] = [await end('first'), await end('last')];
  if (fromMs === undefined || last === undefined) return [];
  return slices(
    { fromMs: Math.max(fromMs, range.fromMs), toMs: Math.min(last + 1, range.toMs) },
    RANGE_MS,
  );
}

interface StoredCall {
  readonly record: UsageRecord;
  /** Of its series, as they are stored. */
  readonly tags: Readonly<Record<string, string>>;
}

async function* storedCalls(
  client: InfluxQueryClient,
  { fromMs, toMs }: TimeRange,
  signal: AbortSignal | undefined,
): AsyncGenerator<StoredCall> {
  // Grouped by all tags: columns are fields.
  const q = `SELECT *::field FROM ${LEDGER} WHERE ${timeRange(fromMs, toMs)} GROUP BY *`;
  for await (const { tags, columns, values } of client.query(q, { signal })) {
    const layout = new PointLayout(columns, []);
    // A tag that a series does not have reads ''.
    const ofSeries = new Map(Object.entries(tags).filter(([, value]) => value !== ''));
    for (const row of values) {
      const point = { ...layout.point(row), tags: ofSeries };
      if (typeof point.fields.get(USAGE_FIELDS.calls) !== 'number') continue;
      yield { record: recordOfPoint(point), tags };
    }
  }
}
