import type { CheckedQuery } from '../../ledger/queries/checked-query.ts';
import { CALL_SUMS, SUM_COLUMNS } from '../schema/call-sums.ts';
import { binOfColumn, type Sketch, SKETCHES } from '../schema/roll-ups.ts';
import type { BoundValues } from './bound-values.ts';
import { CALLS, filterConditions, KEYS, timeCondition } from './ledger-sql.ts';
import { type CallParts, rangesOfCalls, type RollUpPlan, type TimeRange } from './roll-up-plan.ts';

/** The calls of a question as rows of `ms`, dimensions and sums, rolled up as far as the plan says. */
export function sourceOf(
  query: CheckedQuery,
  plan: RollUpPlan | CallParts | undefined,
  bound: BoundValues,
  { withSketches = false }: { readonly withSketches?: boolean } = {},
): string {
  const sums = SUM_COLUMNS.map((column) => `${CALL_SUMS[column]} AS sum_${column}`);
  const names = SUM_COLUMNS.map((column) => `sum_${column} AS ${column}`);
  const sketches = withSketches ? SKETCHES : [];
  const where = callsWhere(query, plan, bound);
  const parts: string[] = [];
  if (where !== undefined) {
    const bins = sketches.map((sketch) => `${binsOfCall(sketch)} AS ${sketch.column}`);
    const outer = ['ms', ...KEYS, ...names, 'units', ...sketches.map(({ column }) => column)];
    const inner = ['toUnixTimestamp64Milli(time) AS ms', ...KEYS, ...sums, 'units', ...bins];
    parts.push(`SELECT ${outer.join(', ')}
      FROM (SELECT ${inner.join(', ')} FROM ${CALLS} WHERE ${where})`);
  }
  if (plan?.rollUp !== undefined) {
    const { table, keys } = plan.rollUp;
    const columns = [...SUM_COLUMNS, 'units', ...sketches.map(({ column }) => column)];
    parts.push(`SELECT toInt64(toUnixTimestamp(cell)) * 1000 AS ms, ${keysOf(keys)}, ${columns.join(', ')}
      FROM ${table} FINAL WHERE ${cellsWhere(query, plan, bound)}`);
  }
  return parts.join(' UNION ALL ');
}

/** A map from the bin of a call to 1. */
const binsOfCall = ({ value, known }: Sketch): string =>
  `if(${known}, map(${binOfColumn(value)}, toUInt64(1)), CAST(map(), 'Map(Int32, UInt64)'))`;

/** Undefined where roll-ups answer for everything. */
function callsWhere(
  { filters, ...query }: CheckedQuery,
  plan: RollUpPlan | CallParts | undefined,
  bound: BoundValues,
): string | undefined {
  const ranges = rangesOfCalls(query, plan);
  if (ranges.length === 0) return undefined;
  const times = ranges.map(({ fromMs, toMs }) => `(${timeCondition(fromMs, toMs, bound)})`);
  return `(${times.join(' OR ')})${filterConditions(filters, bound)}`;
}

function cellsWhere(
  { filters }: CheckedQuery,
  { cells, open }: RollUpPlan,
  bound: BoundValues,
): string {
  const made = [cellsIn(cells), ...open.map((range) => `NOT (${cellsIn(range)})`)].join(' AND ');
  return made + filterConditions(filters, bound);
}

const cellsIn = ({ fromMs, toMs }: TimeRange): string =>
  `cell >= toDateTime(${fromMs / 1000}, 'UTC') AND cell < toDateTime(${toMs / 1000}, 'UTC')`;

/** What a roll-up has no column of, no question that it answers asks for. */
function keysOf(keys: readonly string[]): string {
  return KEYS.map((key) => {
    if (keys.includes(key)) return key;
    const none = key === 'dimensions' ? "CAST(map(), 'Map(LowCardinality(String), String)')" : "''";
    return `${none} AS ${key}`;
  }).join(', ');
}
