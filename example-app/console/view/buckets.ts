import type { Row } from '../api/contract.ts';
import { type Period, startOf } from './period.ts';

/**
 * Values per bucket of the period, from a summary grouped by its unit. Undefined if the bucket has
 * no call with this value.
 */
export function bucketValues(
  rows: readonly Row[],
  { unit, starts }: Pick<Period, 'unit' | 'starts'>,
  valueOf: (row: Row) => number | undefined,
): readonly (number | undefined)[] {
  const byStart = new Map(
    rows.map((row) => [startOf(unit, Date.parse(row.start ?? '')), valueOf(row)]),
  );
  return starts.map((start) => byStart.get(start));
}

export function sumOf(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0);
}
