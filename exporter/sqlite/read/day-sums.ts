import { type Key, nameOfKey } from '../../ledger/queries/key.ts';
import type { CheckedQuery, Dimension } from '../../ledger/queries/checked-query.ts';
import type { SumsColumn, SumsTable } from '../../ledger/queries/sums-table.ts';
import { type DayBlock, type TextColumn, textAt } from '../day-block.ts';

const OUTCOMES = [
  ['errors', 'error'],
  ['aborted', 'aborted'],
  ['blocked', 'blocked'],
] as const;

/** What a query asks about the sums of a day. */
export function daySums({ dimensions, filters }: CheckedQuery, block: DayBlock): SumsTable {
  const { keys, teams, outcomes } = block;
  const textsOf = (dimension: Dimension): TextColumn =>
    dimension === 'team' ? teams : dimension === 'outcome' ? outcomes : keys;
  const parts = dimensions.map(textsOf);
  const wanted = filters.map(
    ({ dimension, values }) => [textsOf(dimension), new Set(values)] as const,
  );
  const rows =
    wanted.length === 0
      ? undefined
      : [...keys.places.keys()].filter((row) =>
          wanted.every(([texts, values]) => values.has(textAt(texts, row))),
        );
  const ofRows = <T>(values: ArrayLike<T>, none: T): ArrayLike<T> =>
    rows?.map((row) => values[row] ?? none) ?? values;
  const keyOf = (at: number): Key => parts.map((part) => textAt(part, rows?.[at] ?? at));
  return {
    rows: (rows ?? keys.places).length,
    nameOf: (at) => nameOfKey(keyOf(at)),
    numbers: parts.length === 1 ? ofRows(keys.places, 0) : undefined,
    columns: columnsOf(block).map(({ name, values }) => ({ name, values: ofRows(values, null) })),
    keyOf,
  };
}

function columnsOf({ keys, outcomes, columns }: DayBlock): readonly SumsColumn[] {
  const calls = columns.get('calls');
  const all: SumsColumn[] = [...columns].map(([name, values]) => ({ name, values }));
  for (const [name, outcome] of OUTCOMES) {
    const place = outcomes.values.indexOf(outcome);
    if (place === -1) continue;
    const values = new Float64Array(keys.places.length);
    for (let row = 0; row < values.length; row++) {
      if ((outcomes.places?.[row] ?? 0) === place) values[row] = calls?.[row] ?? 0;
    }
    all.push({ name, values });
  }
  return all;
}
