import type { Key } from '../../ledger/queries/key.ts';
import type { CheckedQuery } from '../../ledger/queries/checked-query.ts';
import type { UsageMetric } from '../../ledger/usage-query.ts';
import type { BoundValues } from './bound-values.ts';
import { columnOf } from './ledger-sql.ts';
import { SUMS } from './sums-sql.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** Local bucket of a row's `ms`; offsets change where the zone's do. */
export function bucketOf(query: CheckedQuery): string {
  const { unit } = query;
  if (unit === undefined) return 'NULL';
  const segments = query.zone.segments(query.fromMs, query.toMs);
  const bucket = (offsetMs: number): string =>
    unit === 'day'
      ? `intDiv(ms + ${offsetMs}, ${DAY_MS})`
      : `intDiv(ms + ${offsetMs}, ${HOUR_MS}) * ${HOUR_MS} - ${offsetMs}`;
  const last = segments.at(-1)?.offsetMs ?? 0;
  if (segments.length < 2) return bucket(last);
  const cases = segments
    .slice(0, -1)
    .map(({ toMs, offsetMs }) => `ms < ${toMs}, ${bucket(offsetMs)}`);
  return `multiIf(${cases.join(', ')}, ${bucket(last)})`;
}

export const keyColumn = (place: number): string => `key${place}`;

/** `columnOf` each dimension AS `keyColumn`, each with a comma before it. */
export function keysOf(query: CheckedQuery): string {
  return query.dimensions
    .map((dimension, place) => `, ${columnOf(dimension)} AS ${keyColumn(place)}`)
    .join('');
}

/** A text that no two keys share. */
function keyText(columns: readonly string[]): string {
  const [first = "''", second] = columns;
  return second === undefined
    ? first
    : `concat(toString(length(${first})), ':', ${first}, ${second})`;
}

function textOfKey([first, second]: Key): string {
  const text = first ?? '';
  if (second === undefined) return text;
  return `${Buffer.byteLength(text)}:${text}${second ?? ''}`;
}

/** Place of a row's key among the named ones; -1 beyond them. */
export function placeOf(query: CheckedQuery, named: readonly Key[], bound: BoundValues): string {
  if (named.length === 0) return 'toInt32(-1)';
  const key = keyText(query.dimensions.map(columnOf));
  const keys = bound.texts(named.map(textOfKey));
  // Numbered by the server from 1 on: the text of a statement may be no longer than `max_query_size`.
  return `toInt32(transform(toString(${key}), ${keys}, arrayEnumerate(${keys}), toUInt32(0))) - 1`;
}

export function metricSum(metric: UsageMetric): string {
  const name = metric === 'costUsd' ? 'costNanos' : metric;
  return SUMS.find(([sum]) => sum === name)?.[1] ?? 'sum(source.calls)';
}
