import { USAGE_FIELDS } from '../lines/usage-schema.ts';
import type { CheckedQuery } from '../queries/checked-query.ts';
import type { TimeSegment } from '../queries/time-zone.ts';
import type { UsageSums } from '../queries/usage-sums.ts';
import { conditions, LEDGER, name, TAG_OF, timeRange } from './influxql.ts';
import type { InfluxValue } from './query-client.ts';

/** Aliases are the members of `UsageSums` but for the two that need the series to be understood. */
const SUMS: readonly (readonly [alias: string, call: string])[] = [
  ['calls', `sum(${name(USAGE_FIELDS.calls)})`],
  ['inputTokens', `sum(${name(USAGE_FIELDS.inputTokens)})`],
  ['outputTokens', `sum(${name(USAGE_FIELDS.outputTokens)})`],
  ['totalTokens', `sum(${name(USAGE_FIELDS.totalTokens)})`],
  ['cacheReadTokens', `sum(${name(USAGE_FIELDS.cacheReadTokens)})`],
  ['cacheWriteTokens', `sum(${name(USAGE_FIELDS.cacheWriteTokens)})`],
  ['reasoningTokens', `sum(${name(USAGE_FIELDS.reasoningTokens)})`],
  ['durationMs', `sum(${name(USAGE_FIELDS.durationMs)})`],
  ['firstChunkMs', `sum(${name(USAGE_FIELDS.timeToFirstChunkMs)})`],
  ['firstChunkCalls', `count(${name(USAGE_FIELDS.timeToFirstChunkMs)})`],
  ['costUsd', `sum(${name(USAGE_FIELDS.costUsd)})`],
  ['pricedCalls', `count(${name(USAGE_FIELDS.costUsd)})`],
];

/**
 * Two statements: the sums of a segment by the query's tags, and the duration of the calls whose
 * output is known. Outcome and token source are told apart to count errors and estimates.
 */
export function sumStatements(query: CheckedQuery, segment: TimeSegment): string {
  const tags = query.dimensions.map((dimension) => TAG_OF[dimension] ?? dimension);
  const groups = [...new Set([...tags, 'outcome', 'token_source'])].map(name);
  if (query.unit !== undefined) {
    // Buckets start where local hours or days do.
    const offset = -segment.offsetMs / 1000;
    groups.push(`time(${query.unit === 'day' ? '1d' : '1h'}, ${offset}s)`);
  }
  const fill = query.unit === undefined ? '' : ' fill(none)';
  const where = timeRange(segment.fromMs, segment.toMs) + conditions(query.filters);
  const select = (what: string, also: string): string =>
    `SELECT ${what} FROM ${LEDGER} WHERE ${where}${also} GROUP BY ${groups.join(', ')}${fill}`;
  const sums = SUMS.map(([alias, call]) => `${call} AS ${name(alias)}`).join(', ');
  const duration = `sum(${name(USAGE_FIELDS.durationMs)}) AS "outputDurationMs"`;
  return `${select(sums, '')}; ${select(duration, ` AND ${name(USAGE_FIELDS.outputTokens)} >= 0`)}`;
}

/** The sums of one row; those that the row does not have are left out. */
export function sumsOfRow(
  columns: readonly string[],
  row: readonly InfluxValue[],
  tags: Readonly<Record<string, string>>,
): Partial<UsageSums> {
  const values: Record<string, number> = {};
  for (const [place, column] of columns.entries()) {
    const value = row[place];
    if (column !== 'time' && typeof value === 'number') values[column] = value;
  }
  const { costUsd, pricedCalls = 0, ...sums } = values;
  const { calls } = values;
  if (calls === undefined) return sums;
  const source = tags['token_source'] ?? '';
  const isCounted = source !== '';
  return {
    ...sums,
    errors: tags['outcome'] === 'error' ? calls : 0,
    aborted: tags['outcome'] === 'aborted' ? calls : 0,
    countedCalls: isCounted ? calls : 0,
    estimatedCalls: source === 'estimated' ? calls : 0,
    unpricedCalls: isCounted ? calls - pricedCalls : 0,
    // Doubles add up to within a nano-dollar far beyond any bill.
    ...(costUsd !== undefined && { costNanos: Math.round(costUsd * 1e9) }),
  };
}
