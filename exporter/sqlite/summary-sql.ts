import type { SQLInputValue } from 'node:sqlite';
import type { CheckedQuery, Dimension, Filters } from '../queries/checked-query.ts';
import { LOG_RATIO, SMALLEST } from '../queries/quantile-sketch.ts';
import { CALL_SUMS, SUMS } from './roll-up.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
const ROLLED_UP: ReadonlySet<Dimension> = new Set(['service', 'provider', 'model', 'outcome']);
/** What each row must tell besides its sums. */
const DIMENSIONS = ['service', 'provider', 'model', 'outcome', 'user', 'conversation'] as const;

export interface Sql {
  readonly text: string;
  readonly values: readonly SQLInputValue[];
}

export const nanoseconds = (ms: number): bigint => BigInt(Math.ceil(ms)) * 1_000_000n;

/**
 * Conditions of single calls. The last one ends a long walk: about every thousandth row asks
 * whether anybody still waits.
 */
export function callConditions(fromMs: number, toMs: number, filters: Filters): Sql {
  const { text, values } = filterConditions(filters);
  return {
    text: `time_ns >= ? AND time_ns < ?${text} AND (time_ns % 1021 != 0 OR keep_going())`,
    values: [nanoseconds(fromMs), nanoseconds(toMs), ...values],
  };
}

export function filterConditions(filters: Filters): Sql {
  const values: SQLInputValue[] = [];
  const text = filters.map(({ dimension, values: wanted }) => {
    const names = wanted.filter((value) => value !== null);
    values.push(...names);
    const some = names.length > 0 ? `${dimension} IN (${names.map(() => '?').join()})` : '0';
    return ` AND (${some}${wanted.includes(null) ? ` OR ${dimension} IS NULL` : ''})`;
  });
  return { text: text.join(''), values };
}

/** Whether whole hours answer the query: none of its groups, filters or borders is finer. */
function fitsHours(query: CheckedQuery): boolean {
  const dimensions = [...query.dimensions, ...query.filters.map(({ dimension }) => dimension)];
  if (!dimensions.every((dimension) => ROLLED_UP.has(dimension))) return false;
  if (query.unit === undefined) return true;
  return query.zone.segments(query.fromMs, query.toMs).every(({ offsetMs, toMs }) => {
    return offsetMs % HOUR_MS === 0 && (toMs === query.toMs || toMs % HOUR_MS === 0);
  });
}

function callsOf(query: CheckedQuery, fromMs: number, toMs: number): Sql {
  const { text, values } = callConditions(fromMs, toMs, query.filters);
  const sums = SUMS.map((name) => `${CALL_SUMS[name]} AS ${name}`).join(', ');
  return {
    text: `SELECT time_ns / 1000000 AS ms, ${DIMENSIONS.join(', ')}, ${sums} FROM usage WHERE ${text}`,
    values,
  };
}

/** The calls of the query, rolled up where whole hours will do, as rows of `ms`, dimensions, sums. */
export function sourceOf(query: CheckedQuery): Sql {
  const { fromMs, toMs } = query;
  const [fromHour, toHour] = [Math.ceil(fromMs / HOUR_MS), Math.floor(toMs / HOUR_MS)];
  if (toHour <= fromHour || !fitsHours(query)) return callsOf(query, fromMs, toMs);
  const { text, values } = filterConditions(query.filters);
  const rolled = `SELECT hour * ${HOUR_MS} AS ms, service, provider, model, outcome, NULL AS user,
    NULL AS conversation, ${SUMS.join(', ')} FROM usage_hour WHERE hour >= ? AND hour < ?${text}`;
  const parts: Sql[] = [{ text: rolled, values: [fromHour, toHour, ...values] }];
  if (fromMs < fromHour * HOUR_MS) parts.push(callsOf(query, fromMs, fromHour * HOUR_MS));
  if (toHour * HOUR_MS < toMs) parts.push(callsOf(query, toHour * HOUR_MS, toMs));
  return {
    text: parts.map((part) => part.text).join(' UNION ALL '),
    values: parts.flatMap((part) => part.values),
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
  const also = second === undefined ? '' : ` AND named.second IS source.${second}`;
  return `(SELECT place FROM named WHERE named.first IS source.${first}${also})`;
}

/** Bin of the percentile sketch, as `binOf` has it. */
export const binOfColumn = (column: string): string =>
  `CAST(floor(ln(max(${column}, ${SMALLEST})) / ${LOG_RATIO}) AS INTEGER)`;
