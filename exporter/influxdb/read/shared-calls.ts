import type { CheckedQuery, Dimension } from '../../ledger/queries/checked-query.ts';
import { SharedWork } from '../../ledger/shared-work.ts';
import { DOCTOR_SERVICE } from '../usage-schema.ts';
import { CallScan, type ScannedCall } from './call-scan.ts';
import { BoundValues } from './influxql.ts';
import type { InfluxQueryClient } from './query-client.ts';

const HOUR_MS = 3_600_000;
/** Longer ranges are streamed: their calls would fill the memory. */
const MAX_HOURS = 3;
const MAX_CALLS = 20_000;
/** Most questions need no others. */
const DIMENSIONS: readonly Dimension[] = [
  'user',
  'conversation',
  'service',
  'provider',
  'model',
  'outcome',
  'team',
];

/**
 * The calls of the hours at the borders of ranges, read once for all questions that need them at the same time:
 * each read opens every series of its hours.
 */
export class SharedCalls {
  readonly #client: InfluxQueryClient;
  /** Undefined: too many. */
  readonly #reads: SharedWork<readonly ScannedCall[] | undefined>;

  constructor(client: InfluxQueryClient, keepMs: number) {
    this.#client = client;
    this.#reads = new SharedWork({ keepMs });
  }

  /** The calls of the query with its dimensions as keys; undefined where they have to be streamed. */
  async of(
    query: CheckedQuery,
    signal: AbortSignal | undefined,
  ): Promise<Iterable<ScannedCall> | undefined> {
    const range = {
      fromMs: Math.floor(query.fromMs / HOUR_MS) * HOUR_MS,
      toMs: Math.ceil(query.toMs / HOUR_MS) * HOUR_MS,
    };
    const asked = [...query.dimensions, ...query.filters.map(({ dimension }) => dimension)];
    const asksDoctor = query.filters.some(({ values }) => values.includes(DOCTOR_SERVICE));
    if (range.toMs - range.fromMs > MAX_HOURS * HOUR_MS || asksDoctor) return undefined;
    const own = [...new Set(asked.filter((one) => !DIMENSIONS.includes(one)))].toSorted();
    const dimensions: readonly Dimension[] = [...DIMENSIONS, ...own];
    const key = JSON.stringify([range.fromMs, range.toMs, own]);
    const whole = { ...query, ...range, dimensions, filters: [] };
    const calls = await this.#reads.run(key, async (stop) => await this.#read(whole, stop), signal);
    return calls && wanted(calls, dimensions, query);
  }

  async #read(
    query: CheckedQuery,
    signal: AbortSignal,
  ): Promise<readonly ScannedCall[] | undefined> {
    const scan = new CallScan(query);
    const bound = new BoundValues();
    const q = scan.statement(query.fromMs, query.toMs, bound);
    const calls: ScannedCall[] = [];
    for await (const series of this.#client.query(q, { bound, epoch: 'ms', signal })) {
      for (const call of scan.calls(series)) calls.push(call);
      if (calls.length > MAX_CALLS) return undefined;
    }
    return calls;
  }
}

function* wanted(
  calls: readonly ScannedCall[],
  names: readonly Dimension[],
  { fromMs, toMs, dimensions, filters }: CheckedQuery,
): Generator<ScannedCall> {
  const places = dimensions.map((dimension) => names.indexOf(dimension));
  const conditions = filters.map(({ dimension, values }) => ({
    place: names.indexOf(dimension),
    values: new Set(values),
  }));
  for (const { key, timeMs, sums } of calls) {
    if (timeMs < fromMs || timeMs >= toMs) continue;
    if (!conditions.every(({ place, values }) => values.has(key[place] ?? null))) continue;
    yield { key: places.map((place) => key[place] ?? null), timeMs, sums };
  }
}
