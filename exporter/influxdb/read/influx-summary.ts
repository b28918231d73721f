import { USAGE_FIELDS } from '../usage-schema.ts';
import type { Cells } from '../../ledger/queries/cells.ts';
import type { Key } from '../../ledger/queries/key.ts';
import type { CheckedQuery } from '../../ledger/queries/checked-query.ts';
import { rankKeys } from '../../ledger/queries/ranking.ts';
import type { SplitQuery } from '../../ledger/queries/gather.ts';
import type { SummarySource } from '../../ledger/queries/summarise.ts';
import type { TimeSegment } from '../../ledger/queries/time-zone.ts';
import { bucketIn, TimeBuckets } from '../../ledger/queries/time-buckets.ts';
import { addCall, metricOf } from '../../ledger/queries/usage-sums.ts';
import { metrics } from '../../ledger/queries/sums-table.ts';
import {
  addBins,
  type StoredSketches,
  type StoredTable,
} from '../../ledger/queries/usage-table.ts';
import { type AskedSums, askedSums } from '../rollup/asked-sums.ts';
import { withoutErased } from '../rollup/erasure-notes.ts';
import type { LedgerClients } from '../rollup/ledger-clients.ts';
import { RollUpPoints } from '../rollup/roll-up-points.ts';
import {
  planOf,
  type RollUpPlan,
  splitAt,
  tableFor,
  type ValidRollUps,
} from '../rollup/roll-up-plan.ts';
import { DAY_MS, HOUR_MS } from '../rollup/roll-up-schema.ts';
import { CallScan, type ScannedCall } from './call-scan.ts';
import { BoundValues, conditions, isTellable, LEDGER, name, timeRange } from './influxql.ts';
import type { InfluxQueryClient } from './query-client.ts';
import type { SharedReads } from './shared-reads.ts';
import { pieces, slices, type TimeRange, withinReach } from './time-ranges.ts';

/** What a query asks about one roll-up. */
interface RolledUp {
  readonly sums: AskedSums;
  readonly sketches: StoredSketches | undefined;
  readonly bucket: number | undefined;
}

interface Takers {
  readonly call: (call: ScannedCall, bucket: number | undefined) => void;
  readonly rolledUp: (part: RolledUp) => void;
}

/**
 * Summaries over InfluxQL: roll-ups of the hours and days that are closed, and the calls of all others, which
 * stream in and are summed up as they come.
 */
export class InfluxSummarySource implements SummarySource {
  readonly #clients: LedgerClients;
  readonly #client: InfluxQueryClient;
  readonly #shared: SharedReads;
  readonly #now: () => number;
  readonly #signal: AbortSignal | undefined;
  readonly #valid: { readonly range: TimeRange; readonly valid: Promise<ValidRollUps> }[] = [];

  constructor(
    clients: LedgerClients,
    shared: SharedReads,
    now: () => number,
    signal: AbortSignal | undefined,
  ) {
    this.#clients = clients;
    this.#client = clients.calls;
    this.#shared = shared;
    this.#now = now;
    this.#signal = signal;
  }

  async split(query: CheckedQuery): Promise<SplitQuery | undefined> {
    if (tableFor(query) === undefined || isEmpty(query)) return undefined;
    const range = withinReach(query, await this.#client.version(), this.#now());
    return splitAt(range, await this.#validIn(query));
  }

  async gather(
    query: CheckedQuery,
    cells: Cells,
    signal: AbortSignal | undefined = this.#signal,
  ): Promise<void> {
    await this.#each(query, signal, {
      call({ key, sums }, bucket) {
        addCall(cells.tally(key, bucket), sums);
      },
      rolledUp({ sums, sketches, bucket }) {
        cells.addTable(sums, bucket);
        if (sketches === undefined) return;
        for (const [at, place] of sums.places.entries()) {
          const { latencies } = cells.tally(sums.keyOf(at), bucket);
          if (latencies === undefined) continue;
          addBins(latencies.duration, sketches.duration[place]);
          addBins(latencies.firstChunk, sketches.firstChunk[place]);
        }
      },
    });
  }

  async rank(query: CheckedQuery): Promise<readonly Key[]> {
    return await rankKeys(query, async (add) => {
      await this.#each({ ...query, unit: undefined, percentiles: false }, this.#signal, {
        call({ key, sums }) {
          add(key, metricOf(sums, query.orderBy));
        },
        rolledUp({ sums }) {
          for (const [key, value] of metrics(sums, query.orderBy)) add(key, value);
        },
      });
    });
  }

  async distinct(query: CheckedQuery): Promise<{ users: number; conversations: number }> {
    if (isEmpty(query)) return { users: 0, conversations: 0 };
    // 3.x answers piece by piece, and what is different in each may be the same in two.
    const isWhole = (await this.#client.version()) !== '3';
    const isSummedUp = (await this.#goneIn(query)) !== undefined;
    if (!isWhole || !isTellable(query.filters) || isSummedUp) {
      return await this.#countDistinct(query);
    }
    const bound = new BoundValues();
    const where = timeRange(query.fromMs, query.toMs) + conditions(query.filters, bound);
    const count = async (field: string): Promise<number> => {
      const q = `SELECT count(distinct(${name(field)})) FROM ${LEDGER} WHERE ${where}`;
      const signal = this.#signal;
      for await (const { values } of this.#client.query(q, { bound, epoch: 'ms', signal }))
        return Number(values[0]?.[1] ?? 0);
      return 0;
    };
    return {
      users: await count(USAGE_FIELDS.user),
      conversations: await count(USAGE_FIELDS.conversationId),
    };
  }

  async #countDistinct(query: CheckedQuery): Promise<{ users: number; conversations: number }> {
    const count = async (dimension: 'user' | 'conversation'): Promise<number> => {
      const names = new Set<string>();
      const add = ([value]: Key): void => {
        if (typeof value === 'string') names.add(value);
      };
      const asked = { ...query, dimensions: [dimension], unit: undefined, percentiles: false };
      await this.#each(asked, this.#signal, {
        call: ({ key }) => add(key),
        rolledUp: ({ sums }) => {
          for (let row = 0; row < sums.rows; row++) add(sums.keyOf(row));
        },
      });
      return names.size;
    };
    return { users: await count('user'), conversations: await count('conversation') };
  }

  async missing(query: CheckedQuery): Promise<readonly TimeRange[]> {
    if (isEmpty(query) || !this.#clients.place.isSeparate) return [];
    const { incomplete, gone = { fromMs: 0, toMs: 0 } } = await this.#validIn(query);
    const { days, hours, calls } = await this.#plan(query);
    const rolledUp = [...days, ...hours].flatMap((range) => slices(range, HOUR_MS));
    const lacking = new Set(incomplete);
    const isLeftOut = ({ fromMs }: TimeRange): boolean =>
      this.#shared.leftOut.has(leftOutKey(query, fromMs));
    const ofGone = [...calls, ...rolledUp.filter(isLeftOut)].map(({ fromMs, toMs }) => ({
      fromMs: Math.max(fromMs, gone.fromMs),
      toMs: Math.min(toMs, gone.toMs),
    }));
    return [...ofGone, ...rolledUp.filter(({ fromMs }) => lacking.has(fromMs))].filter(
      ({ fromMs, toMs }) => fromMs < toMs,
    );
  }

  /** The time whose calls are gone, where the query asks about any of it. */
  async #goneIn(query: CheckedQuery): Promise<TimeRange | undefined> {
    if (!this.#clients.place.isSeparate) return undefined;
    const { gone } = await this.#validIn(query);
    return gone !== undefined && query.fromMs < gone.toMs ? gone : undefined;
  }

  async #each(query: CheckedQuery, signal: AbortSignal | undefined, takers: Takers): Promise<void> {
    if (isEmpty(query)) return;
    const plan = await this.#plan(query);
    const days = await this.#eachRollUp('day', query, plan.days, signal, takers);
    const hours = [...plan.hours, ...days];
    const missing = await this.#eachRollUp('hour', query, hours, signal, takers);
    for (const range of [...plan.calls, ...missing]) {
      await this.#eachCall({ ...query, ...range }, signal, takers.call);
    }
  }

  async #plan(query: CheckedQuery): Promise<RollUpPlan> {
    const { fromMs, toMs } = query;
    if (tableFor(query) === undefined) return { days: [], hours: [], calls: [{ fromMs, toMs }] };
    const range = withinReach({ fromMs, toMs }, await this.#client.version(), this.#now());
    const valid = await this.#validIn(query);
    return planOf({ ...query, ...range }, valid, new TimeBuckets(query));
  }

  /** A summary sees one state of the roll-ups, also in parts of its range. */
  async #validIn({ fromMs, toMs }: TimeRange): Promise<ValidRollUps> {
    const known = this.#valid.find(({ range }) => range.fromMs <= fromMs && toMs <= range.toMs);
    if (known !== undefined) return await known.valid;
    const range = withinReach({ fromMs, toMs }, await this.#client.version(), this.#now());
    const valid = this.#shared.validIn(range, this.#signal);
    this.#valid.push({ range: { fromMs, toMs }, valid });
    return await valid;
  }

  /** Returns the ranges of roll-ups without the table: it was too large to be stored. */
  async #eachRollUp(
    unit: 'hour' | 'day',
    query: CheckedQuery,
    ranges: readonly TimeRange[],
    signal: AbortSignal | undefined,
    { rolledUp }: Takers,
  ): Promise<readonly TimeRange[]> {
    const of = tableFor(query);
    if (of === undefined) return [];
    const names = query.percentiles ? ([of, 'sketches'] as const) : [of];
    const buckets = new TimeBuckets(query);
    const missing: TimeRange[] = [];
    const points = new RollUpPoints(this.#clients, signal);
    const width = unit === 'day' ? DAY_MS : HOUR_MS;
    if (ranges.length === 0) return [];
    const valid = await this.#validIn(query);
    const states = unit === 'day' ? valid.days : valid.hours;
    const keyOf = (start: number, name: string): string =>
      `${unit}/${start}/${states.get(start) ?? ''}/${name}`;
    const take = (start: number, [stored, sketches]: readonly unknown[]): void => {
      const isErased = unit === 'hour' && of === 'users' ? valid.erased.get(start) : undefined;
      const table = stored as StoredTable;
      rolledUp({
        sums: askedSums(query, isErased === undefined ? table : withoutErased(table, isErased)),
        sketches: sketches as StoredSketches | undefined,
        bucket: buckets.at(start),
      });
    };
    for (const range of ranges) {
      const left = new Set<number>();
      for (let start = range.fromMs; start < range.toMs; start += width) {
        const tables = names.map((name) => this.#shared.tables.get(keyOf(start, name)));
        if (tables.every((table) => table !== undefined)) take(start, tables);
        else left.add(start);
      }
      if (left.size === 0) continue;
      const asked = { fromMs: Math.min(...left), toMs: Math.max(...left) + width };
      for await (const [start, tables] of points.tables(unit, asked, names)) {
        if (!left.has(start) || tables.includes(undefined)) continue;
        left.delete(start);
        for (const [place, name] of names.entries()) {
          this.#shared.tables.set(keyOf(start, name), tables[place]);
        }
        take(start, tables);
      }
      for (const start of left) {
        missing.push({ fromMs: start, toMs: start + width });
        if (unit === 'hour') this.#shared.leftOut.add(leftOutKey(query, start));
      }
    }
    return missing;
  }

  async #eachCall(
    query: CheckedQuery,
    signal: AbortSignal | undefined,
    add: Takers['call'],
  ): Promise<void> {
    if (isEmpty(query)) return;
    const shared = await this.#shared.calls.of(query, signal);
    if (shared !== undefined) {
      const buckets = new TimeBuckets(query);
      for (const call of shared) add(call, buckets.at(call.timeMs));
      return;
    }
    const scan = new CallScan(query);
    for (const segment of await this.#segments(query)) {
      const bound = new BoundValues();
      const q = scan.statement(segment.fromMs, segment.toMs, bound);
      for await (const series of this.#client.query(q, { bound, epoch: 'ms', signal })) {
        for (const call of scan.calls(series)) {
          add(call, bucketIn(query.unit, segment, call.timeMs));
        }
      }
    }
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

const leftOutKey = (query: CheckedQuery, hour: number): string =>
  `${hour}/${tableFor(query)}/${query.percentiles}`;

/** A filter without values lets nothing through. */
const isEmpty = ({ filters }: CheckedQuery): boolean =>
  filters.some(({ values }) => values.length === 0);
