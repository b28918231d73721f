import { USAGE_FIELDS } from '../usage-schema.ts';
import type { Cells, Key } from '../../ledger/queries/cells.ts';
import type { CheckedQuery } from '../../ledger/queries/checked-query.ts';
import { binOf } from '../../ledger/queries/quantile-sketch.ts';
import { rankKeys } from '../../ledger/queries/ranking.ts';
import type { SummarySource } from '../../ledger/queries/summarise.ts';
import type { TimeSegment } from '../../ledger/queries/time-zone.ts';
import { addSums, metricOf } from '../../ledger/queries/usage-sums.ts';
import { CallScan, type ScannedCall } from './call-scan.ts';
import { BoundValues, conditions, isTellable, LEDGER, name, timeRange } from './influxql.ts';
import type { InfluxQueryClient } from './query-client.ts';
import { pieces, withinReach } from './time-ranges.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** Summaries over InfluxQL: the calls stream in and are summed up as they come. */
export class InfluxSummarySource implements SummarySource {
  readonly #client: InfluxQueryClient;
  readonly #now: () => number;
  readonly #signal: AbortSignal | undefined;

  constructor(client: InfluxQueryClient, now: () => number, signal: AbortSignal | undefined) {
    this.#client = client;
    this.#now = now;
    this.#signal = signal;
  }

  async gather(query: CheckedQuery, cells: Cells): Promise<void> {
    await this.#eachCall(query, ({ key, sums }, bucket) => {
      const tally = cells.tally(key, bucket);
      addSums(tally.sums, sums);
      if (tally.latencies === undefined) return;
      // A result of a batch took a time that nobody knows.
      if (sums.durationMs > 0) tally.latencies.duration.addBin(binOf(sums.durationMs), 1);
      if (sums.firstChunkCalls > 0) tally.latencies.firstChunk.addBin(binOf(sums.firstChunkMs), 1);
    });
  }

  async rank(query: CheckedQuery): Promise<readonly Key[]> {
    return await rankKeys(query, async (add) => {
      await this.#eachCall({ ...query, unit: undefined }, ({ key, sums }) => {
        add(key, metricOf(sums, query.orderBy));
      });
    });
  }

  async distinct(query: CheckedQuery): Promise<{ users: number; conversations: number }> {
    if (isEmpty(query)) return { users: 0, conversations: 0 };
    // 3.x answers piece by piece, and what is different in each may be the same in two.
    const isWhole = (await this.#client.version()) !== '3';
    if (!isWhole || !isTellable(query.filters)) return await this.#countDistinct(query);
    const bound = new BoundValues();
    const where = timeRange(query.fromMs, query.toMs) + conditions(query.filters, bound);
    const count = async (field: string): Promise<number> => {
      const q = `SELECT count(distinct(${name(field)})) FROM ${LEDGER} WHERE ${where}`;
      for await (const { values } of this.#query(q, bound)) return Number(values[0]?.[1] ?? 0);
      return 0;
    };
    return {
      users: await count(USAGE_FIELDS.user),
      conversations: await count(USAGE_FIELDS.conversationId),
    };
  }

  async #countDistinct(query: CheckedQuery): Promise<{ users: number; conversations: number }> {
    const users = new Set<string>();
    const conversations = new Set<string>();
    const dimensions = ['user', 'conversation'] as const;
    await this.#eachCall({ ...query, dimensions, unit: undefined }, ({ key }) => {
      const [user, conversation] = key;
      if (typeof user === 'string') users.add(user);
      if (typeof conversation === 'string') conversations.add(conversation);
    });
    return { users: users.size, conversations: conversations.size };
  }

  async #eachCall(
    query: CheckedQuery,
    add: (call: ScannedCall, bucket: number | undefined) => void,
  ): Promise<void> {
    if (isEmpty(query)) return;
    const scan = new CallScan(query);
    for (const segment of await this.#segments(query)) {
      const bound = new BoundValues();
      const q = scan.statement(segment.fromMs, segment.toMs, bound);
      for await (const series of this.#query(q, bound)) {
        for (const call of scan.calls(series)) add(call, bucketOf(query, segment, call.timeMs));
      }
    }
  }

  #query(q: string, bound: BoundValues): ReturnType<InfluxQueryClient['query']> {
    return this.#client.query(q, { bound, epoch: 'ms', signal: this.#signal });
  }

  /** Runs of one offset, cut to what the server answers at once. */
  async #segments(query: CheckedQuery): Promise<readonly TimeSegment[]> {
    const version = await this.#client.version();
    const { fromMs, toMs } = withinReach(query, version, this.#now());
    const segments =
      query.unit === undefined
        ? [{ fromMs, toMs, offsetMs: 0 }]
        : query.zone.segments(fromMs, toMs);
    return segments.flatMap((segment) => pieces(segment, version));
  }
}

/** A filter without values lets nothing through. */
const isEmpty = ({ filters }: CheckedQuery): boolean =>
  filters.some(({ values }) => values.length === 0);

/** Local bucket of an instant of the segment, as `Cells` has it. */
function bucketOf(
  { unit }: CheckedQuery,
  { offsetMs }: TimeSegment,
  ms: number,
): number | undefined {
  if (unit === undefined) return undefined;
  if (unit === 'day') return Math.floor((ms + offsetMs) / DAY_MS);
  return Math.floor((ms + offsetMs) / HOUR_MS) * HOUR_MS - offsetMs;
}
