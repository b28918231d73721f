import type { ClickHouseSettings } from '@clickhouse/client';
import { unitName, USAGE_UNITS, type UsageUnit } from '../../../src/domain/billed-usage.ts';
import { TokenMeterError } from '../../../src/errors.ts';
import { type Cells, OTHER, TooManyKeys } from '../../ledger/queries/cells.ts';
import { type Key } from '../../ledger/queries/key.ts';
import type { CheckedQuery } from '../../ledger/queries/checked-query.ts';
import type { SplitQuery, TimeRange } from '../../ledger/queries/gather.ts';
import type { SummarySource } from '../../ledger/queries/summarise.ts';
import { addSums, type Tally, type UsageSums } from '../../ledger/queries/usage-sums.ts';
import type { SharedWork } from '../../ledger/shared-work.ts';
import type { ClickHouseSession, Row } from '../clickhouse-session.ts';
import { MISSING_TABLE, TOO_MANY_ROWS } from '../exception.ts';
import { type Sketch, SKETCHES } from '../schema/roll-ups.ts';
import { BoundValues } from './bound-values.ts';
import { type ExpiredCalls, expiredCalls } from './expired-calls.ts';
import { keptHours } from './kept-hours.ts';
import {
  type CallParts,
  planRollUp,
  rangesOfCalls,
  rollUpFor,
  type RollUpPlan,
} from './roll-up-plan.ts';
import { binsOfCalls, binsOfCells, sourceOf } from './source-sql.ts';
import { bucketOf, keyColumn, keysOf, metricSum, placeOf } from './summary-sql.ts';
import { SUMS } from './sums-sql.ts';

/** Dimensions that may have many values: beyond `MAX_CROWD` of them the server ranks them first. */
const CROWDED: ReadonlySet<string> = new Set(['user', 'conversation', 'run']);
/** Rows that cost less to be sent once, and kept, than to be ranked for each question. */
const MAX_CROWD = 60_000;
/** The hours at a border of a range have few. */
const SHORT_MS = 7_200_000;
const SETTINGS = {
  use_skip_indexes_if_final: 1,
  do_not_merge_across_partitions_select_final: 1,
} as const;

/** What questions of one reader look up once for all of them. */
export interface SharedFacts {
  readonly splits: SharedWork<SplitQuery | undefined>;
  readonly expired: SharedWork<ExpiredCalls | undefined>;
}

/**
 * Summaries of one ledger. What could grow without bound stays on the server. Sums come from roll-ups as far as those
 * are made from all calls, and from the calls beyond.
 */
export class ClickHouseSummarySource implements SummarySource {
  readonly #session: ClickHouseSession;
  readonly #shared: SharedFacts;
  readonly #signal: AbortSignal | undefined;
  /** All statements of a summary see the same cells; a plan is made once for each range and roll-up. */
  readonly #plans = new Map<string, Promise<RollUpPlan | undefined>>();

  constructor(session: ClickHouseSession, shared: SharedFacts, signal: AbortSignal | undefined) {
    this.#session = session;
    this.#shared = shared;
    this.#signal = signal;
  }

  async split({ fromMs, toMs }: CheckedQuery): Promise<SplitQuery | undefined> {
    const find = async (signal: AbortSignal): Promise<SplitQuery | undefined> =>
      await orWithoutTables(keptHours(this.#session, { fromMs, toMs }, signal));
    return await this.#shared.splits.run(`${fromMs}-${toMs}`, find, this.#signal);
  }

  async rank(query: CheckedQuery): Promise<readonly Key[]> {
    const bound = new BoundValues();
    const keys = query.dimensions.map((_, place) => keyColumn(place));
    const ties = keys.map((key) => `${key} = '', ${key}`).join(', ');
    const direction = query.ascending ? 'ASC' : 'DESC';
    const plan = await this.#plan({ ...query, unit: undefined }, false);
    // The empty rows that mark made cells are no calls.
    const rows = await this.#rows(
      `SELECT ${metricSum(query.orderBy)} AS metric${keysOf(query)}
       FROM (${sourceOf(query, plan, bound)}) AS source GROUP BY ${keys.join(', ')}
       HAVING sum(source.calls) > 0
       ORDER BY isNull(metric), metric ${direction}, ${ties} LIMIT ${query.limit}`,
      bound,
    );
    return rows.map((row) => keyOf(query, row));
  }

  async gather(
    query: CheckedQuery,
    cells: Cells,
    signal: AbortSignal | undefined = this.#signal,
  ): Promise<void> {
    // A crowd is only read to be kept, or where it is small.
    const isShort = query.toMs - query.fromMs <= SHORT_MS;
    if (isCrowd(query, cells) && cells.maxCells < MAX_CROWD && !isShort) {
      throw new TooManyKeys();
    }
    await this.#gather(query, cells, signal, async (withSketches) => {
      return await this.#plan(query, withSketches);
    });
  }

  /** One statement for all parts. */
  async gatherParts(query: CheckedQuery, parts: readonly TimeRange[], cells: Cells): Promise<void> {
    await this.#gather(query, cells, this.#signal, async () => await Promise.resolve({ parts }));
  }

  async #gather(
    query: CheckedQuery,
    cells: Cells,
    signal: AbortSignal | undefined,
    planFor: PlanFor,
  ): Promise<void> {
    const isCrowded = isCrowd(query, cells);
    const bound = new BoundValues();
    const groups = groupsOf(query, cells, bound);
    const numbers = SUMS.map(([name, expression]) => `${expression} AS ${name}`).join(', ');
    const sums = `${numbers}, sumMap(source.units) AS units`;
    const plan = await planFor(false);
    const rows = await this.#rows(
      `SELECT ${groups.select}, ${sums}
       FROM (${sourceOf(query, plan, bound)}) AS source${groups.by}`,
      bound,
      signal,
      isCrowded ? { max_rows_to_group_by: `${MAX_CROWD}`, group_by_overflow_mode: 'throw' } : {},
    ).catch((error: unknown) => {
      const isOverflow = error instanceof TokenMeterError && error.value === TOO_MANY_ROWS;
      throw isCrowded && isOverflow ? new TooManyKeys() : error;
    });
    for (const row of rows) {
      const found = sumsOf(row);
      if ((found.calls ?? 0) > 0) addSums(tallyOf(query, cells, row).sums, found);
    }
    if (!query.percentiles) return;
    const binPlan = await planFor(true);
    for (const sketch of SKETCHES) {
      await this.#gatherBins(query, cells, sketch, signal, binPlan);
    }
  }

  async distinct(query: CheckedQuery): Promise<{ users: number; conversations: number }> {
    const [users, conversations] = await Promise.all([
      this.#distinct(query, 'user'),
      this.#distinct(query, 'conversation'),
    ]);
    return { users, conversations };
  }

  async missing(query: CheckedQuery): Promise<readonly TimeRange[]> {
    const expired = await this.#expired();
    if (expired === undefined || query.fromMs >= expired.toMs) return [];
    const plans = [await this.#plan(query, false)];
    if (query.percentiles) plans.push(await this.#plan(query, true));
    return plans
      .flatMap((plan) => rangesOfCalls(query, plan))
      .map(({ fromMs, toMs }) => ({
        fromMs: Math.max(fromMs, expired.fromMs),
        toMs: Math.min(toMs, expired.toMs),
      }))
      .filter(({ fromMs, toMs }) => fromMs < toMs);
  }

  async #expired(): Promise<ExpiredCalls | undefined> {
    const find = async (signal: AbortSignal): Promise<ExpiredCalls | undefined> =>
      await orWithoutTables(expiredCalls(this.#session, signal));
    return await this.#shared.expired.run('', find, this.#signal);
  }

  async #distinct(query: CheckedQuery, dimension: 'user' | 'conversation'): Promise<number> {
    const asked = { ...query, dimensions: [dimension], unit: undefined };
    const bound = new BoundValues();
    const plan = await this.#plan(asked, false);
    const [row = {}] = await this.#rows(
      `SELECT uniqExactIf(${dimension}, ${dimension} != '' AND calls > 0) AS amount
       FROM (${sourceOf(asked, plan, bound)})`,
      bound,
    );
    return Number(row['amount']);
  }

  async #gatherBins(
    query: CheckedQuery,
    cells: Cells,
    sketch: Sketch,
    signal: AbortSignal | undefined,
    plan: RollUpPlan | CallParts | undefined,
  ): Promise<void> {
    const kind = sketch.column === 'duration_bins' ? 'duration' : 'firstChunk';
    const add = (row: Row, bin: number, calls: number): void =>
      tallyOf(query, cells, row).latencies?.[kind].addBin(bin, calls);
    const bound = new BoundValues();
    const calls = binsOfCalls(query, plan, sketch, bound);
    if (calls !== undefined) {
      const groups = groupsOf(query, cells, bound);
      const by = groups.by === '' ? ' GROUP BY bin' : `${groups.by}, bin`;
      const text = `SELECT ${groups.select}, bin, count() AS amount FROM (${calls}) AS source${by}`;
      for (const row of await this.#rows(text, bound, signal)) {
        add(row, Number(row['bin']), Number(row['amount']));
      }
    }
    if (plan?.rollUp === undefined) return;
    const ofCells = new BoundValues();
    const groups = groupsOf(query, cells, ofCells);
    // Added up as maps: a row for each bin of each cell would be many times as many.
    const text = `SELECT ${groups.select}, sumMap(source.bins) AS bins
      FROM (${binsOfCells(query, plan, sketch, ofCells)}) AS source${groups.by}`;
    for (const row of await this.#rows(text, ofCells, signal)) {
      for (const [bin, amount] of Object.entries(row['bins'] as Readonly<Record<string, number>>)) {
        add(row, Number(bin), amount);
      }
    }
  }

  async #plan(query: CheckedQuery, withSketches: boolean): Promise<RollUpPlan | undefined> {
    const rollUp = rollUpFor(query, withSketches);
    if (rollUp === undefined) return undefined;
    const id = [rollUp.name, query.fromMs, query.toMs].join(' ');
    let plan = this.#plans.get(id);
    if (plan === undefined) {
      const signal = this.#signal;
      plan = orWithoutTables(
        this.#expired().then(
          async (expired) => await planRollUp(this.#session, query, rollUp, { signal, expired }),
        ),
      );
      this.#plans.set(id, plan);
    }
    return await plan;
  }

  async #rows(
    text: string,
    { values }: BoundValues,
    signal: AbortSignal | undefined = this.#signal,
    settings: ClickHouseSettings = {},
  ): Promise<readonly Row[]> {
    const all = { ...SETTINGS, ...settings };
    return await this.#session.rows({ text, values }, { signal, settings: all });
  }
}

type PlanFor = (withSketches: boolean) => Promise<RollUpPlan | CallParts | undefined>;

function isCrowd({ dimensions }: CheckedQuery, { named }: Cells): boolean {
  return named === undefined && dimensions.some((name) => CROWDED.has(name));
}

/** Undefined where the ledger was made without roll-ups. */
async function orWithoutTables<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof TokenMeterError && MISSING_TABLE.has(Number(error.value)))
      return undefined;
    throw error;
  }
}

/** Every key by itself, or its place among the named ones. */
function groupsOf(
  query: CheckedQuery,
  { named }: Cells,
  bound: BoundValues,
): { readonly select: string; readonly by: string } {
  const bucket = `${bucketOf(query)} AS bucket`;
  const time = query.unit === undefined ? [] : ['bucket'];
  const by = (columns: readonly string[]): string => {
    const all = [...time, ...columns];
    return all.length === 0 ? '' : ` GROUP BY ${all.join(', ')}`;
  };
  if (query.dimensions.length === 0) return { select: bucket, by: by([]) };
  if (named !== undefined) {
    return {
      select: `${bucket}, ${placeOf(query, named.keys, bound)} AS place`,
      by: by(['place']),
    };
  }
  return {
    select: bucket + keysOf(query),
    by: by(query.dimensions.map((_, place) => keyColumn(place))),
  };
}

function tallyOf(query: CheckedQuery, cells: Cells, row: Row): Tally {
  const { bucket } = row;
  const at = typeof bucket === 'number' ? bucket : undefined;
  if (cells.named !== undefined && query.dimensions.length > 0) {
    return cells.tallyAt(typeof row['place'] === 'number' ? row['place'] : OTHER, at);
  }
  return cells.tally(keyOf(query, row), at);
}

function keyOf(query: CheckedQuery, row: Row): Key {
  return query.dimensions.map((_, place) => {
    const value = row[keyColumn(place)];
    return typeof value === 'string' && value !== '' ? value : null;
  });
}

/** Names that another release gave are of no unit. */
const UNIT_OF: ReadonlyMap<string, UsageUnit> = new Map(
  USAGE_UNITS.map((unit) => [unitName(unit), unit]),
);

function sumsOf(row: Row): Partial<UsageSums> {
  const sums: Partial<Record<keyof UsageSums, number>> = {};
  for (const [name] of SUMS) {
    const value = row[name];
    if (typeof value === 'number') sums[name] = value;
  }
  const units = row['units'] as Readonly<Record<string, number>>;
  for (const [name, amount] of Object.entries(units)) {
    const unit = UNIT_OF.get(name);
    if (unit !== undefined) sums[unit] = amount;
  }
  return sums;
}
