import { type Key, nameOfKey } from '../../ledger/queries/key.ts';
import type { CheckedQuery, Dimension } from '../../ledger/queries/checked-query.ts';
import type { SumsColumn, SumsTable } from '../../ledger/queries/sums-table.ts';
import type { DayBlock } from '../day-block.ts';

const OUTCOMES = [
  ['errors', 'error'],
  ['aborted', 'aborted'],
  ['blocked', 'blocked'],
] as const;

/** What a query asks about the sums of a day. */
export function daySums(query: CheckedQuery, block: DayBlock): SumsTable {
  const { keys, teams, outcomes } = block;
  const textsOf = (dimension: Dimension): readonly (string | null)[] =>
    dimension === 'team' ? teams : dimension === 'outcome' ? outcomes : keys;
  const parts = query.dimensions.map(textsOf);
  const keyOf = (row: number): Key => parts.map((part) => part[row] ?? null);
  const columns = columnsOf(block);
  const [only] = parts;
  if (query.filters.length === 0) {
    const names =
      only !== undefined && parts.length === 1 ? only : keys.map((_, row) => nameOfKey(keyOf(row)));
    return { names, columns, keyOf };
  }
  const wanted = query.filters.map(
    ({ dimension, values }) => [textsOf(dimension), new Set(values)] as const,
  );
  const rows = [...keys.keys()].filter((row) =>
    wanted.every(([texts, values]) => values.has(texts[row] ?? null)),
  );
  return {
    names: rows.map((row) => nameOfKey(keyOf(row))),
    columns: columns.map(({ name, values }) => ({
      name,
      values: rows.map((row) => values[row] ?? null),
    })),
    keyOf: (place) => keyOf(rows[place] ?? 0),
  };
}

function columnsOf({ outcomes, columns }: DayBlock): readonly SumsColumn[] {
  const calls = columns.get('calls') ?? [];
  const all: SumsColumn[] = [...columns].map(([name, values]) => ({ name, values }));
  for (const [name, outcome] of OUTCOMES) {
    if (!outcomes.includes(outcome)) continue;
    const values = outcomes.map((one, row) => (one === outcome ? (calls[row] ?? 0) : 0));
    all.push({ name, values });
  }
  return all;
}
