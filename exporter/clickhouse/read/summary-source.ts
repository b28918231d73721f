import type { ClickHouseSettings } from '@clickhouse/client';
import { TokenMeterError } from '../../../src/errors.ts';
import { type Cells, TooManyKeys } from '../../ledger/queries/cells.ts';
import { type Key } from '../../ledger/queries/key.ts';
import type { CheckedQuery } from '../../ledger/queries/checked-query.ts';
import type { SplitQuery, TimeRange } from '../../ledger/queries/gather.ts';
import type { SummarySource } from '../../ledger/queries/summarise.ts';
import { TimeBuckets } from '../../ledger/queries/time-buckets.ts';
import { addCall } from '../../ledger/queries/usage-sums.ts';
import type { SharedWork } from '../../ledger/shared-work.ts';
import type { ClickHouseSession, Columns, Sql } from '../clickhouse-session.ts';
import { MISSING_TABLE, TOO_MANY_ROWS } from '../exception.ts';
import type { RollUp } from '../schema/roll-ups.ts';
import { BoundValues } from './bound-values.ts';
import { type ExpiredCalls, expiredCalls } from './expired-calls.ts';
import type { BorderCalls } from './border-calls.ts';
import { type CellMarks, cellMarks, wholeHours } from './cell-marks.ts';
import { keptHours } from './kept-hours.ts';
import {
  type CallParts,
  isWorthReading,
  planRollUp,
  rangesOfCalls,
  rollUpFor,
  type RollUpPlan,
  wholeCells,
} from './roll-up-plan.ts';
import { sourceOf } from './source-sql.ts';
import { keyColumn, keysOf, metricSum } from './summary-sql.ts';
import { addAnswer, type Asked, keyAt, sumsStatement } from './sums-statement.ts';

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
  readonly marks: SharedWork<CellMarks | undefined>;
  readonly calls: BorderCalls;
  readonly expired: SharedWork<ExpiredCalls | undefined>;
  /** By the name of a roll-up by day. */
  readonly worthReading: SharedWork<boolean>;
}

/**
 * Summaries of one ledger. What could grow without bound stays on the server. Sums come from roll-ups as far as those
 * are made from all calls, and from the calls beyond.
 */
export class ClickHouseSummarySource implements SummarySource {
  readonly #session: ClickHouseSession;
  readonly #shared: SharedFacts;
  readonly #signal: AbortSignal | undefined;
  /** All statements of a summary see the same cells. */
  readonly #marks: { readonly hours: TimeRange; readonly marks: Promise<CellMarks | undefined> }[] =
    [];

  constructor(session: ClickHouseSession, shared: SharedFacts, signal: AbortSignal | undefined) {
    this.#session = session;
    this.#shared = shared;
    this.#signal = signal;
  }

  async split(query: CheckedQuery): Promise<SplitQuery | undefined> {
    const hours = wholeHours(query);
    const marks = hours && (await this.#marksOf(hours));
    return marks && keptHours(query, marks);
  }

  async rank(query: CheckedQuery): Promise<readonly Key[]> {
    const bound = new BoundValues();
    const keys = query.dimensions.map((_, place) => keyColumn(place));
    const ties = keys.map((key) => `${key} = '', ${key}`).join(', ');
    const direction = query.ascending ? 'ASC' : 'DESC';
    const plan = await this.#plan({ ...query, unit: undefined }, false);
    // The empty rows that mark made cells are no calls.
    const text = `SELECT ${metricSum(query.orderBy)} AS metric${keysOf(query)}
       FROM (${sourceOf(query, plan, bound)}) AS source GROUP BY ${keys.join(', ')}
       HAVING sum(source.calls) > 0
       ORDER BY isNull(metric), metric ${direction}, ${ties} LIMIT ${query.limit}`;
    const answer = await this.#ask({ text, values: bound.values });
    return (answer['metric'] ?? []).map((_, row) => keyAt(query, answer, row));
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

  async gatherRest(query: CheckedQuery, parts: readonly TimeRange[], cells: Cells): Promise<void> {
    if (parts.length === 0) return;
    const calls = await this.#shared.calls.in(parts, query, this.#signal);
    if (calls === undefined) {
      await this.#gather(query, cells, this.#signal, async () => await Promise.resolve({ parts }));
      return;
    }
    const buckets = new TimeBuckets(query);
    for (const { key, ms, sums } of calls) addCall(cells.tally(key, buckets.at(ms)), sums);
  }

  async #gather(
    query: CheckedQuery,
    cells: Cells,
    signal: AbortSignal | undefined,
    planFor: PlanFor,
  ): Promise<void> {
    const plan = await planFor(false);
    const sketchPlan = query.percentiles ? await planFor(true) : undefined;
    // Of users and conversations the server keeps sums without sketches.
    const isTwo = query.percentiles && plan?.rollUp !== sketchPlan?.rollUp;
    const asked = !query.percentiles || isTwo ? 'sums' : 'both';
    await this.#add(query, cells, plan, asked, signal);
    if (isTwo) await this.#add(query, cells, sketchPlan, 'sketches', signal);
  }

  async #add(
    query: CheckedQuery,
    cells: Cells,
    plan: RollUpPlan | CallParts | undefined,
    asked: Asked,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const isCrowded = isCrowd(query, cells);
    const bound: ClickHouseSettings = isCrowded
      ? { max_rows_to_group_by: `${MAX_CROWD}`, group_by_overflow_mode: 'throw' }
      : {};
    const statement = sumsStatement(query, cells, plan, asked);
    const answer = await this.#ask(statement, signal, bound).catch((error: unknown) => {
      const isOverflow = error instanceof TokenMeterError && error.value === TOO_MANY_ROWS;
      throw isCrowded && isOverflow ? new TooManyKeys() : error;
    });
    addAnswer(query, cells, answer, asked);
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
    const text = `SELECT uniqExactIf(${dimension}, ${dimension} != '' AND calls > 0) AS amount
       FROM (${sourceOf(asked, plan, bound)})`;
    const answer = await this.#ask({ text, values: bound.values });
    return Number(answer['amount']?.[0]);
  }

  async #plan(query: CheckedQuery, withSketches: boolean): Promise<RollUpPlan | undefined> {
    const rollUp = rollUpFor(query, withSketches);
    const cells = rollUp && wholeCells(query, rollUp);
    if (rollUp === undefined || cells === undefined) return undefined;
    const marks = await this.#marksOf(cells);
    if (marks === undefined) return undefined;
    if (rollUp.unit === 'day') {
      const expired = await this.#expired();
      const isNeeded = expired !== undefined && cells.fromMs < expired.toMs;
      if (!isNeeded && !(await this.#isWorthReading(rollUp))) return undefined;
    }
    return planRollUp(rollUp, cells, marks);
  }

  async #isWorthReading(rollUp: RollUp): Promise<boolean> {
    const compare = async (signal: AbortSignal): Promise<boolean> =>
      await isWorthReading(this.#session, rollUp, signal);
    return await this.#shared.worthReading.run(rollUp.name, compare, this.#signal);
  }

  /** Of a time that has all of these hours; undefined where the ledger was made without roll-ups. */
  async #marksOf(hours: TimeRange): Promise<CellMarks | undefined> {
    const known = this.#marks.find(
      (one) => one.hours.fromMs <= hours.fromMs && hours.toMs <= one.hours.toMs,
    );
    if (known !== undefined) return await known.marks;
    const read = async (signal: AbortSignal): Promise<CellMarks | undefined> =>
      await orWithoutTables(cellMarks(this.#session, hours, signal));
    const key = `${hours.fromMs}-${hours.toMs}`;
    const marks = this.#shared.marks.run(key, read, this.#signal);
    this.#marks.push({ hours, marks });
    return await marks;
  }

  async #ask(
    statement: Sql,
    signal: AbortSignal | undefined = this.#signal,
    settings: ClickHouseSettings = {},
  ): Promise<Columns> {
    const all = { ...SETTINGS, ...settings };
    return await this.#session.columns(statement, { signal, settings: all });
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
