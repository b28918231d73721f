import type { CheckedQuery } from '../../ledger/queries/checked-query.ts';
import { isDimensionKey } from '../../ledger/queries/dimension-key.ts';
import type { ClickHouseSession } from '../clickhouse-session.ts';
import { LEDGER } from '../schema/columns.ts';
import type { CellMarks } from './cell-marks.ts';
import { ROLL_UPS, type RollUp } from '../schema/roll-ups.ts';

export interface TimeRange {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Which parts of a range a roll-up answers; the calls answer for the rest. */
export interface RollUpPlan {
  readonly rollUp: RollUp;
  /** Whole cells. */
  readonly cells: TimeRange;
  /** Cells among them that are not made from all of their calls, merged to ranges. */
  readonly open: readonly TimeRange[];
  /** Cells that are read, although they lack calls. */
  readonly stale: readonly TimeRange[];
}

/** Parts of a range that the calls answer alone. */
export interface CallParts {
  readonly rollUp?: undefined;
  readonly parts: readonly TimeRange[];
}

const HOUR_MS = 3_600_000;
const WIDTH_MS = { hour: HOUR_MS, day: 24 * HOUR_MS } as const;
/** With more, a question would be longer than the work that it saves. */
const MAX_OPEN_RANGES = 200;
/** Of a roll-up by day: with less, reading it costs more than reading the calls. */
const MIN_CALLS_A_CELL = 3;

/** The roll-up that has what the question needs; none of its groups or borders may be finer. */
export function rollUpFor(query: CheckedQuery, withSketches: boolean): RollUp | undefined {
  const dimensions = [...query.dimensions, ...query.filters.map(({ dimension }) => dimension)].map(
    (dimension) => (isDimensionKey(dimension) ? 'dimensions' : dimension),
  );
  return ROLL_UPS.find(
    ({ keys, unit, hasSketches }) =>
      (!withSketches || hasSketches) &&
      dimensions.every((dimension) => keys.includes(dimension)) &&
      hasBordersOf(query, WIDTH_MS[unit]),
  );
}

/** Whether no cell of this width belongs to two buckets of the question. */
function hasBordersOf(query: CheckedQuery, widthMs: number): boolean {
  const { unit, fromMs, toMs } = query;
  if (unit === undefined) return true;
  if (unit === 'hour' && widthMs > HOUR_MS) return false;
  return query.zone
    .segments(fromMs, toMs)
    .every(
      (segment) =>
        segment.offsetMs % widthMs === 0 && (segment.toMs === toMs || segment.toMs % widthMs === 0),
    );
}

/** Cells of the roll-up that belong to the question as a whole; undefined for none. */
export function wholeCells({ fromMs, toMs }: TimeRange, { unit }: RollUp): TimeRange | undefined {
  const width = WIDTH_MS[unit];
  const cells = {
    fromMs: Math.ceil(fromMs / width) * width,
    toMs: Math.floor(toMs / width) * width,
  };
  return cells.fromMs < cells.toMs ? cells : undefined;
}

/** Undefined where the calls answer for everything. `marks`: of a time that has all of the cells. */
export function planRollUp(
  rollUp: RollUp,
  cells: TimeRange,
  marks: CellMarks,
): RollUpPlan | undefined {
  const marked = marks.openIn(rollUp.name);
  if (marked === undefined) return undefined;
  const open = rangesOf(marked, rollUp, cells);
  if (open.length > MAX_OPEN_RANGES) return undefined;
  const found = marks.staleIn(rollUp.name);
  const stale = found === undefined ? [cells] : rangesOf(found, rollUp, cells);
  return { rollUp, cells, open, stale };
}

/** Cells within the range, in order, those that touch one another as one. */
function rangesOf(
  starts: readonly number[],
  { unit }: RollUp,
  { fromMs, toMs }: TimeRange,
): readonly TimeRange[] {
  const width = WIDTH_MS[unit];
  const ranges: { fromMs: number; toMs: number }[] = [];
  for (const start of starts) {
    if (start < fromMs || start >= toMs) continue;
    const last = ranges.at(-1);
    if (last?.toMs === start) last.toMs += width;
    else ranges.push({ fromMs: start, toMs: start + width });
  }
  return ranges;
}

/** Of users who call once a day a roll-up is as long as the ledger. Both counts are kept by the server. */
export async function isWorthReading(
  session: ClickHouseSession,
  { table }: RollUp,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const text = `SELECT (SELECT count() FROM ${LEDGER}) AS calls, (SELECT count() FROM ${table}) AS cells`;
  const [row] = await session.rows({ text }, { signal });
  return Number(row?.['cells']) * MIN_CALLS_A_CELL < Number(row?.['calls']);
}

/** What the calls answer for. */
export function rangesOfCalls(
  query: TimeRange,
  plan: RollUpPlan | CallParts | undefined,
): readonly TimeRange[] {
  if (plan === undefined) return [query];
  if (plan.rollUp === undefined) return plan.parts;
  const { cells, open } = plan;
  return [
    { fromMs: query.fromMs, toMs: cells.fromMs },
    ...open,
    { fromMs: cells.toMs, toMs: query.toMs },
  ].filter(({ fromMs, toMs }) => fromMs < toMs);
}
