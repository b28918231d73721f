import { type Cells, OTHER } from '../../ledger/queries/cells.ts';
import type { CheckedQuery } from '../../ledger/queries/checked-query.ts';
import { type Key, nameOfKey } from '../../ledger/queries/key.ts';
import { SUM_KEYS, type Tally, addSums, type UsageSums } from '../../ledger/queries/usage-sums.ts';
import type { Columns, Sql } from '../clickhouse-session.ts';
import { SKETCHES } from '../schema/roll-ups.ts';
import { BoundValues } from './bound-values.ts';
import type { CallParts, RollUpPlan } from './roll-up-plan.ts';
import { sourceOf } from './source-sql.ts';
import { bucketOf, keyColumn, keysOf, placeOf } from './summary-sql.ts';
import { SUMS, sumsOf, unitColumns } from './sums-sql.ts';

/** What a statement adds up; sums and sketches may be of two roll-ups. */
export type Asked = 'sums' | 'sketches' | 'both';

/** The cells of a question, from what a plan says. */
export function sumsStatement(
  query: CheckedQuery,
  cells: Cells,
  plan: RollUpPlan | CallParts | undefined,
  asked: Asked,
): Sql {
  const bound = new BoundValues();
  const groups = groupsOf(query, cells, bound);
  const columns = [
    groups.select,
    ...(asked === 'sketches'
      ? []
      : [
          ...SUMS.map(([name, expression]) => `${expression} AS ${name}`),
          'sumMap(source.units) AS units',
        ]),
    ...(asked === 'sums'
      ? []
      : SKETCHES.map(({ column }) => `sumMap(source.${column}) AS ${column}`)),
  ].join(', ');
  const source = sourceOf(query, plan, bound, { withSketches: asked !== 'sums' });
  // The empty rows that mark made cells are no calls.
  const text = `SELECT ${columns} FROM (${source}) AS source${groups.by} HAVING sum(source.calls) > 0`;
  return { text, values: bound.values };
}

/** Adds the answer of a statement. @throws TooManyKeys */
export function addAnswer(query: CheckedQuery, cells: Cells, answer: Columns, asked: Asked): void {
  const { length } = answer['bucket'] ?? [];
  if (asked === 'sums' && cells.named === undefined) return addTables(query, cells, answer);
  for (let row = 0; row < length; row++) {
    const tally = tallyOf(query, cells, answer, row);
    if (asked !== 'sketches')
      addSums(
        tally.sums,
        sumsOf((name) => answer[name]?.[row]),
      );
    if (asked === 'sums' || tally.latencies === undefined) continue;
    const { duration, firstChunk } = tally.latencies;
    for (const [sketch, column] of [
      [duration, 'duration_bins'],
      [firstChunk, 'first_chunk_bins'],
    ] as const) {
      const bins = answer[column]?.[row] as Readonly<Record<string, number>>;
      for (const [bin, calls] of Object.entries(bins)) sketch.addBin(Number(bin), calls);
    }
  }
}

/** By columns: there may be tens of thousands of keys. */
function addTables(query: CheckedQuery, cells: Cells, answer: Columns): void {
  const rowsOf = Map.groupBy((answer['bucket'] ?? []).keys(), (row) => answer['bucket']?.[row]);
  const all = new Map<keyof UsageSums, readonly unknown[]>(unitColumns(answer['units'] ?? []));
  for (const name of SUM_KEYS) {
    const values = answer[name];
    if (values !== undefined) all.set(name, values);
  }
  for (const [bucket, rows] of rowsOf) {
    const keyOf = (place: number): Key => keyAt(query, answer, rows[place] ?? 0);
    cells.addTable(
      {
        rows: rows.length,
        nameOf: (place) => nameOfKey(keyOf(place)),
        columns: [...all].map(([name, values]) => ({
          name,
          values: rows.map((row) => values[row] as number | null),
        })),
        keyOf,
      },
      typeof bucket === 'number' ? bucket : undefined,
    );
  }
}

/** Every key by itself, or its place among the named ones. */
function groupsOf(
  query: CheckedQuery,
  { named }: Cells,
  bound: BoundValues,
): { readonly select: string; readonly by: string } {
  const bucket = `${bucketOf(query)} AS bucket`;
  const time = query.unit === undefined ? [] : ['bucket'];
  const by = (columns: readonly string[]): string => {
    const all = [...time, ...columns];
    return all.length === 0 ? '' : ` GROUP BY ${all.join(', ')}`;
  };
  if (query.dimensions.length === 0) return { select: bucket, by: by([]) };
  if (named !== undefined) {
    return {
      select: `${bucket}, ${placeOf(query, named.keys, bound)} AS place`,
      by: by(['place']),
    };
  }
  return {
    select: bucket + keysOf(query),
    by: by(query.dimensions.map((_, place) => keyColumn(place))),
  };
}

function tallyOf(query: CheckedQuery, cells: Cells, answer: Columns, row: number): Tally {
  const bucket = answer['bucket']?.[row];
  const at = typeof bucket === 'number' ? bucket : undefined;
  if (cells.named !== undefined && query.dimensions.length > 0) {
    const place = answer['place']?.[row];
    return cells.tallyAt(typeof place === 'number' ? place : OTHER, at);
  }
  return cells.tally(keyAt(query, answer, row), at);
}

export function keyAt(query: CheckedQuery, answer: Columns, row: number): Key {
  return query.dimensions.map((_, place) => {
    const value = answer[keyColumn(place)]?.[row];
    return typeof value === 'string' && value !== '' ? value : null;
  });
}
