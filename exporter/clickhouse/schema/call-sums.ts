import type { Column } from './columns.ts';

export type SumColumn =
  | 'calls'
  | 'counted_calls'
  | 'estimated_calls'
  | 'unpriced_calls'
  | 'partial_cost_calls'
  | 'input_tokens'
  | 'output_tokens'
  | 'total_tokens'
  | 'cache_read_tokens'
  | 'cache_write_tokens'
  | 'reasoning_tokens'
  | 'cost_nanos'
  | 'duration_ms'
  | 'output_duration_ms'
  | 'first_chunk_ms'
  | 'first_chunk_calls';

/** Sums of single calls, by the column that roll-ups have them in. NULL plus NULL stays NULL: no sum of unknowns is 0. */
export const CALL_SUMS: Readonly<Record<SumColumn, string>> = {
  calls: 'toUInt64(1)',
  counted_calls: "toUInt64(token_source != '')",
  estimated_calls: "toUInt64(token_source = 'estimated')",
  unpriced_calls: "toUInt64(token_source != '' AND isNull(cost_nanos))",
  partial_cost_calls: "toUInt64(cost_missing != '')",
  input_tokens: 'input_tokens',
  output_tokens: 'output_tokens',
  total_tokens: 'total_tokens',
  cache_read_tokens: 'cache_read_tokens',
  cache_write_tokens: 'cache_write_tokens',
  reasoning_tokens: 'reasoning_tokens',
  cost_nanos: 'cost_nanos',
  duration_ms: 'duration_ms',
  output_duration_ms: 'if(isNull(output_tokens), 0, duration_ms)',
  first_chunk_ms: 'ifNull(time_to_first_chunk_ms, 0)',
  first_chunk_calls: 'toUInt64(isNotNull(time_to_first_chunk_ms))',
};

export const SUM_COLUMNS = Object.keys(CALL_SUMS) as readonly SumColumn[];

const FLOATS: ReadonlySet<SumColumn> = new Set([
  'duration_ms',
  'output_duration_ms',
  'first_chunk_ms',
]);

/** Type of a sum in a roll-up. */
export function sumType(column: SumColumn): string {
  if (FLOATS.has(column)) return 'Float64';
  if (column === 'cost_nanos') return 'Nullable(Int64)';
  return column.endsWith('_tokens') ? 'Nullable(UInt64)' : 'UInt64';
}

/** Sums of units: a unit that no call has is no key. */
export const UNIT_SUMS: Column = {
  name: 'units',
  type: 'Map(String, Float64)',
  codec: 'ZSTD(1)',
};
