import { type Key, nameOfKey } from '../../ledger/queries/key.ts';
import type { CheckedQuery } from '../../ledger/queries/checked-query.ts';
import type { SumsTable } from '../../ledger/queries/sums-table.ts';
import type { StoredTable } from '../../ledger/queries/usage-table.ts';
import type { UsageSums } from '../../ledger/queries/usage-sums.ts';

/** Rows of a roll-up's table. */
export interface AskedSums extends SumsTable {
  /** Where each row is in the table. */
  readonly places: readonly number[];
}

/** The rows of a table that the filters let through, with the query's dimensions as keys. */
export function askedSums(
  { dimensions, filters }: CheckedQuery,
  { names, keys, sums }: StoredTable,
): AskedSums {
  const places = dimensions.map((dimension) => names.indexOf(dimension));
  const wanted = filters.map(({ dimension, values }) => ({
    place: names.indexOf(dimension),
    values: new Set(values),
  }));
  const all = [...keys.keys()];
  const rows =
    wanted.length === 0
      ? all
      : all.filter((row) =>
          wanted.every(({ place, values }) => values.has(keys[row]?.[place] ?? null)),
        );
  const keyOf = (at: number): Key => {
    const key = keys[rows[at] ?? 0];
    return places.map((place) => key?.[place] ?? null);
  };
  const [only = 0] = places;
  const nameOf =
    places.length === 1
      ? (at: number): string | null => keys[rows[at] ?? 0]?.[only] ?? null
      : (at: number): string | null => nameOfKey(keyOf(at));
  const columns = Object.entries(sums) as [keyof UsageSums, readonly (number | null)[]][];
  return {
    places: rows,
    rows: rows.length,
    nameOf,
    columns: columns.map(([name, values]) => ({
      name,
      values: rows.length === keys.length ? values : rows.map((row) => values[row] ?? null),
    })),
    keyOf,
  };
}
