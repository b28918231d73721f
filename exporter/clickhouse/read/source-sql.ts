import type { CheckedQuery } from '../../ledger/queries/checked-query.ts';
import { CALL_SUMS, SUM_COLUMNS } from '../schema/call-sums.ts';
import { binOfColumn, type Sketch } from '../schema/roll-ups.ts';
import type { BoundValues } from './bound-values.ts';
import { CALLS, filterConditions, timeCondition } from './ledger-sql.ts';
import { rangesOfCalls, type RollUpPlan, type TimeRange } from './roll-up-plan.ts';

const KEYS = [
  'service',
  'provider',
  'model',
  'outcome',
  'user',
  'conversation',
  'team',
  'dimensions',
] as const;

/** The calls of a question as rows of `ms`, dimensions and sums, rolled up as far as the plan says. */
export function sourceOf(
  query: CheckedQuery,
  plan: RollUpPlan | undefined,
  bound: BoundValues,
): string {
  const sums = SUM_COLUMNS.map((column) => `${CALL_SUMS[column]} AS sum_${column}`).join(', ');
  const ofCalls = (where: string): string =>
    `SELECT ms, ${KEYS.join(', ')}, ${SUM_COLUMNS.map((column) => `sum_${column} AS ${column}`).join(', ')}
     FROM (SELECT toUnixTimestamp64Milli(time) AS ms, ${KEYS.join(', ')}, ${sums} FROM ${CALLS} WHERE ${where})`;
  const ofCells = ({ rollUp: { table, keys } }: RollUpPlan, where: string): string =>
    `SELECT toInt64(toUnixTimestamp(cell)) * 1000 AS ms, ${keysOf(keys)}, ${SUM_COLUMNS.join(', ')}
     FROM ${table} FINAL WHERE ${where}`;
  return united(query, plan, bound, ofCalls, ofCells);
}

/** The same as rows of `ms`, dimensions, `bin` and `amount`, the calls in that bin of a sketch. */
export function binsOf(
  query: CheckedQuery,
  plan: RollUpPlan | undefined,
  { column, value, known }: Sketch,
  bound: BoundValues,
): string {
  const ofCalls = (where: string): string =>
    `SELECT toUnixTimestamp64Milli(time) AS ms, ${KEYS.join(', ')}, ${binOfColumn(value)} AS bin,
       toUInt64(1) AS amount FROM ${CALLS} WHERE ${where} AND ${known}`;
  const ofCells = ({ rollUp: { table, keys } }: RollUpPlan, where: string): string =>
    `SELECT toInt64(toUnixTimestamp(cell)) * 1000 AS ms, ${keysOf(keys)}, bin, amount
     FROM ${table} FINAL ARRAY JOIN mapKeys(${column}) AS bin, mapValues(${column}) AS amount WHERE ${where}`;
  return united(query, plan, bound, ofCalls, ofCells);
}

function united(
  query: CheckedQuery,
  plan: RollUpPlan | undefined,
  bound: BoundValues,
  ofCalls: (where: string) => string,
  ofCells: (plan: RollUpPlan, where: string) => string,
): string {
  const { filters } = query;
  const ranges = rangesOfCalls(query, plan);
  const parts =
    ranges.length === 0
      ? []
      : [ofCalls(`(${anyOf(ranges, bound)})${filterConditions(filters, bound)}`)];
  if (plan === undefined) return parts.join('');
  const { cells, open } = plan;
  const made = [cellsIn(cells), ...open.map((range) => `NOT (${cellsIn(range)})`)].join(' AND ');
  return [...parts, ofCells(plan, made + filterConditions(filters, bound))].join(' UNION ALL ');
}

const anyOf = (ranges: readonly TimeRange[], bound: BoundValues): string =>
  ranges.map(({ fromMs, toMs }) => `(${timeCondition(fromMs, toMs, bound)})`).join(' OR ');

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
