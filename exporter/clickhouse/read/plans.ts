import { TokenMeterError } from '../../../src/errors.ts';
import type { CheckedQuery } from '../../ledger/queries/checked-query.ts';
import type { TimeRange } from '../../ledger/queries/gather.ts';
import type { SharedWork } from '../../ledger/shared-work.ts';
import type { ClickHouseSession } from '../clickhouse-session.ts';
import { MISSING_TABLE } from '../exception.ts';
import type { RollUp } from '../schema/roll-ups.ts';
import { type CellMarks, cellMarks } from './cell-marks.ts';
import { type ExpiredCalls, expiredCalls } from './expired-calls.ts';
import {
  isWorthReading,
  planRollUp,
  rollUpFor,
  type RollUpPlan,
  wholeCells,
} from './roll-up-plan.ts';

/** What plans of all questions look up once. */
export interface SharedPlans {
  readonly marks: SharedWork<CellMarks | undefined>;
  readonly expired: SharedWork<ExpiredCalls | undefined>;
  /** By the name of a roll-up by day. */
  readonly worthReading: SharedWork<boolean>;
}

/** Which roll-ups answer one summary. All of its statements see the same marks. */
export class Plans {
  readonly #session: ClickHouseSession;
  readonly #shared: SharedPlans;
  readonly #signal: AbortSignal | undefined;
  readonly #marks: { readonly hours: TimeRange; readonly marks: Promise<CellMarks | undefined> }[] =
    [];

  constructor(session: ClickHouseSession, shared: SharedPlans, signal: AbortSignal | undefined) {
    this.#session = session;
    this.#shared = shared;
    this.#signal = signal;
  }

  /** Undefined where the calls answer for everything. */
  async of(query: CheckedQuery, withSketches: boolean): Promise<RollUpPlan | undefined> {
    const rollUp = rollUpFor(query, withSketches);
    const cells = rollUp && wholeCells(query, rollUp);
    if (rollUp === undefined || cells === undefined) return undefined;
    const marks = await this.marksOf(cells);
    if (marks === undefined) return undefined;
    if (rollUp.unit === 'day') {
      const expired = await this.expired();
      const isNeeded = expired !== undefined && cells.fromMs < expired.toMs;
      if (!isNeeded && !(await this.#isWorthReading(rollUp))) return undefined;
    }
    return planRollUp(rollUp, cells, marks);
  }

  async expired(): Promise<ExpiredCalls | undefined> {
    const find = async (signal: AbortSignal): Promise<ExpiredCalls | undefined> =>
      await orWithoutTables(expiredCalls(this.#session, signal));
    return await this.#shared.expired.run('', find, this.#signal);
  }

  /** Of a time that has all of these hours; undefined where the ledger was made without roll-ups. */
  async marksOf(hours: TimeRange): Promise<CellMarks | undefined> {
    const known = this.#marks.find(
      (one) => one.hours.fromMs <= hours.fromMs && hours.toMs <= one.hours.toMs,
    );
    if (known !== undefined) return await known.marks;
    const read = async (signal: AbortSignal): Promise<CellMarks | undefined> => {
      const { toMs = 0 } = (await this.expired()) ?? {};
      return await orWithoutTables(cellMarks(this.#session, hours, toMs, signal));
    };
    const key = `${hours.fromMs}-${hours.toMs}`;
    const marks = this.#shared.marks.run(key, read, this.#signal);
    this.#marks.push({ hours, marks });
    return await marks;
  }

  async #isWorthReading(rollUp: RollUp): Promise<boolean> {
    const compare = async (signal: AbortSignal): Promise<boolean> =>
      await isWorthReading(this.#session, rollUp, signal);
    return await this.#shared.worthReading.run(rollUp.name, compare, this.#signal);
  }
}

async function orWithoutTables<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof TokenMeterError && MISSING_TABLE.has(Number(error.value)))
      return undefined;
    throw error;
  }
}
