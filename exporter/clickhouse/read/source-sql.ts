import type { CheckedQuery } from '../../ledger/queries/checked-query.ts';
import { CALL_SUMS, SUM_COLUMNS } from '../schema/call-sums.ts';
import { binOfColumn, type Sketch } from '../schema/roll-ups.ts';
import type { BoundValues } from './bound-values.ts';
import { CALLS, filterConditions, timeCondition } from './ledger-sql.ts';
import { type CallParts, rangesOfCalls, type RollUpPlan, type TimeRange } from './roll-up-plan.ts';

const KEYS = [
  'service',
  'provider',
  'model',
  'outcome',
  'user',
  'conversation',
  'team',
  'error_type',
  'dimensions',
  'agent',
  'run_id',
  'tool',
] as const;

/** The calls of a question as rows of `ms`, dimensions and sums, rolled up as far as the plan says. */
export function sourceOf(
  query: CheckedQuery,
  plan: RollUpPlan | CallParts | undefined,
  bound: BoundValues,
): string {
  const sums = SUM_COLUMNS.map((column) => `${CALL_SUMS[column]} AS sum_${column}`).join(', ');
  const where = callsWhere(query, plan, bound);
  const parts: string[] = [];
  if (where !== undefined) {
    parts.push(`SELECT ms, ${KEYS.join(', ')}, ${SUM_COLUMNS.map((column) => `sum_${column} AS ${column}`).join(', ')}, units
      FROM (SELECT toUnixTimestamp64Milli(time) AS ms, ${KEYS.join(', ')}, ${sums}, units FROM ${CALLS} WHERE ${where})`);
  }
  if (plan?.rollUp !== undefined) {
    const { table, keys } = plan.rollUp;
    parts.push(`SELECT toInt64(toUnixTimestamp(cell)) * 1000 AS ms, ${keysOf(keys)}, ${SUM_COLUMNS.join(', ')}, units
      FROM ${table} FINAL WHERE ${cellsWhere(query, plan, bound)}`);
  }
  return parts.join(' UNION ALL ');
}

/** The calls that no roll-up answers for, as rows of `ms`, dimensions and their bin of a sketch; undefined for none. */
export function binsOfCalls(
  query: CheckedQuery,
  plan: RollUpPlan | CallParts | undefined,
  { value, known }: Sketch,
  bound: BoundValues,
): string | undefined {
  const where = callsWhere(query, plan, bound);
  if (where === undefined) return undefined;
  return `SELECT toUnixTimestamp64Milli(time) AS ms, ${KEYS.join(', ')}, ${binOfColumn(value)} AS bin
    FROM ${CALLS} WHERE ${where} AND ${known}`;
}

/** The cells of a roll-up as rows of `ms`, dimensions and `bins`, a map from a bin to its calls. */
export function binsOfCells(
  query: CheckedQuery,
  plan: RollUpPlan,
  { column }: Sketch,
  bound: BoundValues,
): string {
  const { table, keys } = plan.rollUp;
  return `SELECT toInt64(toUnixTimestamp(cell)) * 1000 AS ms, ${keysOf(keys)}, ${column} AS bins
    FROM ${table} FINAL WHERE ${cellsWhere(query, plan, bound)}`;
}

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
