import { unitName, USAGE_UNITS, type UsageUnit } from '../../src/domain/billed-usage.ts';
import type { UsageSums } from '../ledger/queries/usage-sums.ts';

/** A number of calls that adds up; null plus null stays null, because no sum of unknowns is 0. */
export interface Sum {
  /** In roll-ups. */
  readonly column: string;
  readonly name: keyof UsageSums;
  /** Of single calls, for ranges that no whole hour covers. */
  readonly ofCall: string;
}

/** By column. */
const OF_CALL = {
  calls: '1',
  counted_calls: 'token_source IS NOT NULL',
  estimated_calls: "token_source IS 'estimated'",
  unpriced_calls: 'token_source IS NOT NULL AND cost_nanos IS NULL',
  partial_cost_calls: 'cost_missing IS NOT NULL',
  input_tokens: 'input_tokens',
  output_tokens: 'output_tokens',
  total_tokens: 'total_tokens',
  cache_read_tokens: 'cache_read_tokens',
  cache_write_tokens: 'cache_write_tokens',
  reasoning_tokens: 'reasoning_tokens',
  cost_nanos: 'cost_nanos',
  duration_ms: 'duration_ms',
  output_duration_ms: 'iif(output_tokens IS NULL, 0.0, duration_ms)',
  first_chunk_ms: 'ifnull(time_to_first_chunk_ms, 0.0)',
  first_chunk_calls: 'time_to_first_chunk_ms IS NOT NULL',
};

const camel = (name: string): string =>
  name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

/** Those that every call may have. */
export const NUMBERS: readonly Sum[] = Object.entries(OF_CALL).map(([column, ofCall]) => ({
  column,
  name: camel(column) as keyof UsageSums,
  ofCall,
}));

const UNITS: readonly (Sum & { readonly name: UsageUnit })[] = USAGE_UNITS.map((name) => {
  const column = unitName(name);
  return { column, name, ofCall: `units ->> '$.${column}'` };
});

/** Everything that roll-ups have. */
export const SUMS: readonly Sum[] = [...NUMBERS, ...UNITS];

export const SUM_COLUMNS: string = SUMS.map(({ column }) => column).join(', ');

/** The sums of many calls, in the order of `SUMS`. */
export const SUMS_OF_CALLS: string = SUMS.map(({ ofCall }) => `sum(${ofCall})`).join(', ');

/** Those that are read where calls have no units but these. */
export function sumsWith(units: ReadonlySet<string>): readonly Sum[] {
  return [...NUMBERS, ...UNITS.filter(({ column }) => units.has(column))];
}
