import { unitName, USAGE_UNITS, type UsageUnit } from '../../../src/domain/billed-usage.ts';
import { newTally, type UsageSums } from '../../ledger/queries/usage-sums.ts';
import { SUM_COLUMNS } from '../schema/call-sums.ts';

export const camel = (name: string): string =>
  name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

/** Members of `UsageSums`, each with its expression over rows of `SUM_COLUMNS` and an outcome. */
export const SUMS: readonly (readonly [name: keyof UsageSums, expression: string])[] = [
  ...SUM_COLUMNS.map(
    (column) => [camel(column) as keyof UsageSums, `sum(source.${column})`] as const,
  ),
  ['errors', "sumIf(source.calls, outcome = 'error')"],
  ['aborted', "sumIf(source.calls, outcome = 'aborted')"],
  ['blocked', "sumIf(source.calls, outcome = 'blocked')"],
];

/** Names that another release gave are of no unit. */
const UNIT_OF: ReadonlyMap<string, UsageUnit> = new Map(
  USAGE_UNITS.map((unit) => [unitName(unit), unit]),
);

/** The sums of a row that has them by the names of `SUMS`, and units. */
export function sumsOf(valueOf: (name: string) => unknown): UsageSums {
  const { sums } = newTally(false);
  for (const [name] of SUMS) {
    const value = valueOf(name);
    if (typeof value === 'number') sums[name] = value;
  }
  const units = valueOf('units') as Readonly<Record<string, number>>;
  for (const [name, amount] of Object.entries(units)) {
    const unit = UNIT_OF.get(name);
    if (unit !== undefined) sums[unit] = amount;
  }
  return sums;
}

/** A column of each unit that some row has. */
export function unitColumns(maps: readonly unknown[]): ReadonlyMap<UsageUnit, readonly unknown[]> {
  const columns = new Map<UsageUnit, unknown[]>();
  for (const [row, map] of maps.entries()) {
    for (const [name, amount] of Object.entries(map as Readonly<Record<string, number>>)) {
      const unit = UNIT_OF.get(name);
      if (unit === undefined) continue;
      const column = columns.get(unit) ?? [];
      columns.set(unit, column);
      column[row] = amount;
    }
  }
  return columns;
}
