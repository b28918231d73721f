import type { UsageMetric } from '../usage-query.ts';
import type { Key } from './key.ts';
import { newTally, sumName, type Tally, type UsageSums } from './usage-sums.ts';

/** Sums of many keys by columns, as stores keep them for whole days. A key may have several rows. */
export interface SumsTable {
  readonly rows: number;
  /** Key of a row, by the name that `nameOfKey` gives it. */
  readonly nameOf: (row: number) => string | null;
  /** A number of each row's name, small and the same in all tables that are added to the same cells. */
  readonly numbers?: ArrayLike<number> | undefined;
  /** A column that is left out has in every row what a row without calls has. */
  readonly columns: readonly SumsColumn[];
  readonly keyOf: (row: number) => Key;
}

export interface SumsColumn {
  readonly name: keyof UsageSums;
  readonly values: ArrayLike<number | null>;
}

/** Adds each value to the tally that its row belongs to. */
export function addColumn(
  tallies: readonly Tally[],
  targetOfRow: Int32Array,
  { name, values }: SumsColumn,
): void {
  const sums = new Float64Array(tallies.length).fill(Number.NaN);
  addValues(sums, targetOfRow, values);
  for (const [target, tally] of tallies.entries()) {
    const value = sums[target] ?? Number.NaN;
    if (!Number.isNaN(value)) tally.sums[name] = (tally.sums[name] ?? 0) + value;
  }
}

/** The same for sums by the place of their target. NaN and null are unknown. */
export function addValues(
  sums: Float64Array,
  targetOfRow: Int32Array,
  values: ArrayLike<number | null>,
): void {
  for (let row = 0; row < targetOfRow.length; row++) {
    const value = values[row] ?? Number.NaN;
    if (Number.isNaN(value)) continue;
    const target = targetOfRow[row] ?? 0;
    const before = sums[target] ?? Number.NaN;
    sums[target] = Number.isNaN(before) ? value : before + value;
  }
}

/** The metric of each row, with its key; null where it is unknown. */
export function* metrics(
  { rows, columns, keyOf }: SumsTable,
  metric: UsageMetric,
): Generator<readonly [key: Key, value: number | null]> {
  const name = sumName(metric);
  const values = columns.find((column) => column.name === name)?.values;
  const none = newTally(false).sums[name] ?? null;
  for (let row = 0; row < rows; row++) {
    const value = values === undefined ? none : (values[row] ?? null);
    yield [keyOf(row), Number.isNaN(value) ? null : value];
  }
}
