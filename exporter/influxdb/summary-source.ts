import { OTHER_USERS, USAGE_FIELDS } from '../lines/usage-schema.ts';
import type { Cells, Key } from '../queries/cells.ts';
import type { CheckedQuery } from '../queries/checked-query.ts';
import { binOf } from '../queries/quantile-sketch.ts';
import { type AddToRank, rankKeys } from '../queries/ranking.ts';
import type { SummarySource } from '../queries/summarise.ts';
import type { TimeSegment } from '../queries/time-zone.ts';
import { addSums, metricOf, newTally, type UsageSums } from '../queries/usage-sums.ts';
import { CallScan, type ScannedCall } from './call-scan.ts';
import { conditions, isTellable, LEDGER, literal, name, TAG_OF, timeRange } from './influxql.ts';
import type { InfluxQueryClient } from './query-client.ts';
import { pieces, withinReach } from './time-ranges.ts';
import { sumStatements, sumsOfRow } from './server-sums.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/**
 * Summaries over InfluxQL. Tags are grouped by the server; what it cannot group by, conversations
 * and users beyond the tag limit, is summed up here, one call after the other, as they stream in.
 */
export class InfluxSummarySource implements SummarySource {
  readonly #client: InfluxQueryClient;
  readonly #signal: AbortSignal | undefined;

  constructor(client: InfluxQueryClient, signal: AbortSignal | undefined) {
    this.#client = client;
    this.#signal = signal;
  }

  async rank(query: CheckedQuery): Promise<readonly Key[]> {
    const plain = { ...query, unit: undefined, percentiles: false };
    const pass = async (add: AddToRank): Promise<void> => {
      await this.#eachSum(plain, (key, _bucket, sums) => {
        // Series without the metric tell it by absence: a key must be known all the same.
        const tally = newTally(false);
        addSums(tally.sums, sums);
        add(key, metricOf(tally.sums, query.orderBy));
      });
    };
    return await rankKeys(query, pass);
  }

  async gather(query: CheckedQuery, cells: Cells): Promise<void> {
    const tallyOf = (key: Key, bucket: number | undefined) =>
      cells.tally(cells.named.indexOf(key), bucket);
    const addBins = (call: ScannedCall, bucket: number | undefined): void => {
      const { latencies } = tallyOf(call.key, bucket);
      latencies?.duration.addBin(binOf(call.durationMs), 1);
      if (call.firstChunkMs !== undefined)
        latencies?.firstChunk.addBin(binOf(call.firstChunkMs), 1);
    };
    await this.#eachSum(query, (key, bucket, sums) => addSums(tallyOf(key, bucket).sums, sums));
    if (query.percentiles) await this.#eachCall(query, false, addBins);
  }

  async distinct(query: CheckedQuery): Promise<{ users: number; conversations: number }> {
    if (isEmpty(query)) return { users: 0, conversations: 0 };
    if (!isTellable(query.filters)) return await this.#countDistinct(query);
    const where = timeRange(query.fromMs, query.toMs) + conditions(query.filters);
    const count = (field: string): string =>
      `SELECT count(distinct(${name(field)})) FROM ${LEDGER} WHERE ${where}`;
    const q = `${count(USAGE_FIELDS.user)}; ${count(USAGE_FIELDS.conversationId)}`;
    const counts = [0, 0];
    for await (const { statement, values } of this.#query(q)) {
      counts[statement] = Number(values[0]?.[1] ?? 0);
    }
    return { users: counts[0] ?? 0, conversations: counts[1] ?? 0 };
  }

  async #countDistinct(query: CheckedQuery): Promise<{ users: number; conversations: number }> {
    const users = new Set<string>();
    const conversations = new Set<string>();
    const dimensions = ['user', 'conversation'] as const;
    await this.#eachCall({ ...query, dimensions, unit: undefined }, false, ({ key }) => {
      const [user, conversation] = key;
      if (typeof user === 'string') users.add(user);
      if (typeof conversation === 'string') conversations.add(conversation);
    });
    return { users: users.size, conversations: conversations.size };
  }

  /** Sums of all calls, in whatever portions the server gives them. */
  async #eachSum(
    query: CheckedQuery,
    add: (key: Key, bucket: number | undefined, sums: Partial<UsageSums>) => void,
  ): Promise<void> {
    if (isEmpty(query)) return;
    const isGroupable = query.dimensions.every((dimension) => TAG_OF[dimension] !== undefined);
    if (!isGroupable || !isTellable(query.filters)) {
      await this.#eachCall(query, true, ({ key, sums }, bucket) => add(key, bucket, sums));
      return;
    }
    const byUser = query.dimensions.includes('user');
    let hasOthers = false;
    for (const segment of await this.#segments(query)) {
      for await (const { tags, columns, values } of this.#query(sumStatements(query, segment))) {
        if (byUser && tags['user_id'] === OTHER_USERS) {
          hasOthers = true;
          continue;
        }
        const key = query.dimensions.map((dimension) => tags[TAG_OF[dimension] ?? ''] || null);
        for (const row of values) {
          const bucket = bucketOf(query, segment, Number(row[0]));
          add(key, bucket, sumsOfRow(columns, row, tags));
        }
      }
    }
    if (!hasOthers) return;
    const others = ` AND ${name('user_id')} = ${literal(OTHER_USERS)}`;
    await this.#eachCall(query, true, ({ key, sums }, bucket) => add(key, bucket, sums), others);
  }

  async #eachCall(
    query: CheckedQuery,
    withSums: boolean,
    add: (call: ScannedCall, bucket: number | undefined) => void,
    also = '',
  ): Promise<void> {
    if (isEmpty(query)) return;
    const scan = new CallScan(query, withSums);
    for (const segment of await this.#segments(query)) {
      const q = scan.statement(segment.fromMs, segment.toMs, also);
      for await (const series of this.#query(q)) {
        for (const call of scan.calls(series)) add(call, bucketOf(query, segment, call.timeMs));
      }
    }
  }

  #query(q: string): ReturnType<InfluxQueryClient['query']> {
    return this.#client.query(q, { epoch: 'ms', signal: this.#signal });
  }

  /** Runs of one offset, cut to what the server answers at once. */
  async #segments(query: CheckedQuery): Promise<readonly TimeSegment[]> {
    const version = await this.#client.version();
    const { fromMs, toMs } = withinReach(query, version, Date.now());
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

/** Local bucket of an instant of the segment, or of the bucket's start, as `Cells` has it. */
function bucketOf(
  { unit }: CheckedQuery,
  { offsetMs }: TimeSegment,
  ms: number,
): number | undefined {
  if (unit === undefined) return undefined;
  if (unit === 'day') return Math.floor((ms + offsetMs) / DAY_MS);
  return Math.floor((ms + offsetMs) / HOUR_MS) * HOUR_MS - offsetMs;
}
