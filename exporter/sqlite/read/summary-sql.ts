import type { SQLInputValue } from 'node:sqlite';
import type { CheckedQuery, Dimension, Filters } from '../../ledger/queries/checked-query.ts';
import { dimensionOfKey, isDimensionKey } from '../../ledger/queries/dimension-key.ts';
import type { TimeRange } from '../../ledger/queries/gather.ts';
import { DAY_KINDS, type DayKind } from '../day-tables.ts';
import { DAYS, HOURS, type RollUp } from '../roll-up.ts';
import { NUMBERS, type Sum } from '../sums.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** Beside the dimensions of the configuration. */
const ROLLED_UP: ReadonlySet<Dimension> = new Set([
  'service',
  'provider',
  'model',
  'outcome',
  'team',
]);
/** What each row must tell besides its sums. */
const COLUMNS = [
  'service',
  'provider',
  'model',
  'outcome',
  'team',
  'user',
  'conversation',
] as const;

/** Only calls have these. */
const COLUMN_OF: Readonly<Partial<Record<Dimension, string>>> = {
  agent: 'agent_name',
  run: 'run_id',
  tool: 'tool_name',
  error: 'error_type',
};

/** Where a dimension is in the table of calls. Names are checked: nothing in them needs escaping. */
function columnOfCalls(dimension: Dimension): string {
  const name = dimensionOfKey(dimension);
  return name === undefined ? (COLUMN_OF[dimension] ?? dimension) : `(dimensions ->> '$.${name}')`;
}

/** The same in a roll-up, whose keys are never null. */
function columnOfCells(dimension: Dimension): string {
  if (dimension === 'team') return "nullif(team, '')";
  if (dimension === 'user' || dimension === 'conversation') return 'NULL';
  const name = dimensionOfKey(dimension);
  return name === undefined ? dimension : `(nullif(dimensions, '') ->> '$.${name}')`;
}

/** A dimension as a column of `sourceOf`. */
export function nameOf(dimension: Dimension): string {
  return `"${dimension}"`;
}

/** Columns of the query's own dimensions that no table has by name: `, … AS "dimension.feature"`. */
export function namedDimensions(
  { dimensions }: CheckedQuery,
  columnOf: (dimension: Dimension) => string = columnOfCalls,
): string {
  return dimensions
    .filter((dimension) => isDimensionKey(dimension) || COLUMN_OF[dimension] !== undefined)
    .map((dimension) => `, ${columnOf(dimension)} AS ${nameOf(dimension)}`)
    .join('');
}

export interface Sql {
  readonly text: string;
  readonly values: readonly SQLInputValue[];
}

const nanoseconds = (ms: number): bigint => BigInt(Math.ceil(ms)) * 1_000_000n;

/**
 * Conditions of single calls. The last one ends a long walk: about every thousandth row asks
 * whether anybody still waits.
 */
export function callConditions(fromMs: number, toMs: number, filters: Filters): Sql {
  const { text, values } = filterConditions(filters, columnOfCalls);
  return {
    text: `time_ns >= ? AND time_ns < ?${text} AND (time_ns % 1021 != 0 OR keep_going())`,
    values: [nanoseconds(fromMs), nanoseconds(toMs), ...values],
  };
}

function filterConditions(filters: Filters, columnOf: (dimension: Dimension) => string): Sql {
  const values: SQLInputValue[] = [];
  const text = filters.map(({ dimension, values: wanted }) => {
    const names = wanted.filter((value) => value !== null);
    const column = columnOf(dimension);
    values.push(...names);
    const some = names.length > 0 ? `${column} IN (${names.map(() => '?').join()})` : '0';
    return ` AND (${some}${wanted.includes(null) ? ` OR ${column} IS NULL` : ''})`;
  });
  return { text: text.join(''), values };
}

/** The roll-ups that answer the query, widest first: none of its groups or borders may be finer. */
export function rollUpsFor(query: CheckedQuery): readonly RollUp[] {
  if (!isRolledUp(query)) return [];
  if (query.unit === undefined) return [DAYS, HOURS];
  const segments = query.zone.segments(query.fromMs, query.toMs);
  const isUtc = segments.every(({ offsetMs }) => offsetMs === 0);
  if (query.unit === 'day' && isUtc) return [DAYS, HOURS];
  const isWholeHours = segments.every(
    ({ offsetMs, toMs }) =>
      offsetMs % HOUR_MS === 0 && (toMs === query.toMs || toMs % HOUR_MS === 0),
  );
  return isWholeHours ? [HOURS] : [];
}

function callsOf(query: CheckedQuery, sums: Sums, fromMs: number, toMs: number): Sql {
  const { text, values } = callConditions(fromMs, toMs, query.filters);
  const numbers = sums.map(({ column, ofCall }) => `${ofCall} AS ${column}`).join(', ');
  return {
    text: `SELECT time_ns / 1000000 AS ms, ${COLUMNS.join(', ')}${namedDimensions(query)}, ${numbers}
      FROM usage WHERE ${text}`,
    values,
  };
}

/** Days of a ledger as numbers since 1970, in order. Days of neither kind have no calls. */
export interface LedgerDays {
  readonly summed: readonly number[];
  /** With calls that are not summed up. */
  readonly open: readonly number[];
}

/** Whole days that are summed up, or have no calls, and what lies before, between and after them. */
export interface SummedParts {
  readonly first: number;
  readonly end: number;
  readonly rest: readonly TimeRange[];
}

/** More parts are a statement that SQLite does not take. */
const MAX_PARTS = 100;

/** Undefined where buckets are no days of UTC, or it is not worth it. */
export function summedParts(
  query: CheckedQuery,
  { summed, open }: LedgerDays,
): SummedParts | undefined {
  const { fromMs, toMs, unit } = query;
  if (unit === 'hour' || (unit === 'day' && query.zone.name !== 'UTC')) return undefined;
  const [first, end] = [Math.ceil(fromMs / DAY_MS), Math.floor(toMs / DAY_MS)];
  const isWhole = (day: number): boolean => day >= first && day < end;
  if (!summed.some(isWhole)) return undefined;
  const rest: { fromMs: number; toMs: number }[] = [];
  const add = (from: number, to: number): void => {
    const last = rest.at(-1);
    if (last?.toMs === from) last.toMs = to;
    else if (from < to) rest.push({ fromMs: from, toMs: to });
  };
  add(fromMs, first * DAY_MS);
  for (const day of open.filter(isWhole)) add(day * DAY_MS, (day + 1) * DAY_MS);
  add(end * DAY_MS, toMs);
  return rest.length > MAX_PARTS ? undefined : { first, end, rest };
}

/** Whose sums of whole days have all that the query asks about. */
export function dayKindFor({ dimensions, filters }: CheckedQuery): DayKind | undefined {
  return DAY_KINDS.find(
    (kind) =>
      dimensions.includes(kind) &&
      dimensions.every((one) => one === kind || one === 'team' || one === 'outcome') &&
      // An index finds the calls of a few users sooner.
      filters.every(({ dimension }) => dimension === 'team' || dimension === 'outcome'),
  );
}

/** Sketches of whole days: `kind`, dimensions and `bins`. */
export function binsOf(query: CheckedQuery, kind: string, { first, end }: SummedParts): Sql {
  const { text, values } = filterConditions(query.filters, columnOfCells);
  const columns = COLUMNS.map((name) => `${columnOfCells(name)} AS ${name}`).join(', ');
  return {
    text: `SELECT day * ${DAY_MS} AS ms, ${columns}${namedDimensions(query, columnOfCells)}, bins
      FROM usage_day_bins WHERE day >= ? AND day < ? AND kind = ?
        AND day IN (SELECT day FROM usage_summed_day)${text}`,
    values: [first, end, kind, ...values],
  };
}

/** Whether roll-ups have all that the query asks about; its buckets may be finer. */
export function isRolledUp({ dimensions, filters }: CheckedQuery): boolean {
  const asked = [...dimensions, ...filters.map(({ dimension }) => dimension)];
  return asked.every((one) => ROLLED_UP.has(one) || isDimensionKey(one));
}

type Sums = readonly Sum[];

/** The calls of the query as rows of `ms`, dimensions and sums, rolled up as far as may be. */
export function sourceOf(query: CheckedQuery, sums: Sums = NUMBERS): Sql {
  const parts = partsOf(query, sums, query.fromMs, query.toMs, rollUpsFor(query));
  return {
    text: parts.map((part) => part.text).join(' UNION ALL '),
    values: parts.flatMap((part) => part.values),
  };
}

/** Whole cells of the widest roll-up, and what is left before and after them from the next. */
function partsOf(
  query: CheckedQuery,
  sums: Sums,
  fromMs: number,
  toMs: number,
  [rollUp, ...finer]: readonly RollUp[],
): Sql[] {
  if (fromMs >= toMs) return [];
  if (rollUp === undefined) return [callsOf(query, sums, fromMs, toMs)];
  const width = Number(rollUp.ns) / 1e6;
  const [first, end] = [Math.ceil(fromMs / width), Math.floor(toMs / width)];
  if (first >= end) return partsOf(query, sums, fromMs, toMs, finer);
  return [
    ...partsOf(query, sums, fromMs, first * width, finer),
    cellsOf(query, sums, rollUp, first, end),
    ...partsOf(query, sums, end * width, toMs, finer),
  ];
}

function cellsOf(
  query: CheckedQuery,
  sums: Sums,
  { table, unit, ns }: RollUp,
  first: number,
  end: number,
): Sql {
  const { text, values } = filterConditions(query.filters, columnOfCells);
  const columns = COLUMNS.map((name) => `${columnOfCells(name)} AS ${name}`).join(', ');
  return {
    text: `SELECT ${unit} * ${Number(ns) / 1e6} AS ms,
      ${columns}${namedDimensions(query, columnOfCells)}, ${sums.map(({ column }) => column).join(', ')}
      FROM ${table} WHERE ${unit} >= ? AND ${unit} < ? AND (${unit} % 16 != 0 OR keep_going())${text}`,
    values: [first, end, ...values],
  };
}

/** Local bucket of a row's `ms`; offsets change where the zone's do. */
export function bucketOf(query: CheckedQuery): string {
  const { unit } = query;
  if (unit === undefined) return 'NULL';
  const segments = query.zone.segments(query.fromMs, query.toMs);
  const bucket = (offsetMs: number): string =>
    unit === 'day'
      ? `(ms + ${offsetMs}) / ${DAY_MS}`
      : `(ms + ${offsetMs}) / ${HOUR_MS} * ${HOUR_MS} - ${offsetMs}`;
  const last = segments.at(-1)?.offsetMs ?? 0;
  if (segments.length < 2) return bucket(last);
  const cases = segments
    .slice(0, -1)
    .map(({ toMs, offsetMs }) => `WHEN ms < ${toMs} THEN ${bucket(offsetMs)}`);
  return `CASE ${cases.join(' ')} ELSE ${bucket(last)} END`;
}

/** Place of a row's key in the temporary table `named`; null beyond it. */
export function placeOf(query: CheckedQuery): string {
  const [first, second] = query.dimensions;
  if (first === undefined) return 'NULL';
  const also = second === undefined ? '' : ` AND named.second IS source.${nameOf(second)}`;
  return `(SELECT place FROM named WHERE named.first IS source.${nameOf(first)}${also})`;
}
