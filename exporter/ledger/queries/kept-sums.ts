import { type Cell, type Cells, type Key, nameOfKey, OTHER } from './cells.ts';
import type { CheckedQuery } from './checked-query.ts';
import { FirstKeys, type RankedKey } from './ranking.ts';
import { metricOf, newTally, SUM_KEYS, sumName, type Tally, type UsageSums } from './usage-sums.ts';

/** A row with sketches is worth this many without. */
const ROWS_A_SKETCH = 20;
const NONE: Readonly<UsageSums> = newTally(false).sums;

/**
 * Sums of a part of a query by key and time bucket, which many questions share and none changes. By columns: a
 * ledger may have a hundred thousand conversations.
 */
export class KeptSums {
  readonly keys: readonly Key[];
  /** What it takes of a cache, in rows. */
  readonly size: number;
  readonly #indexes: ReadonlyMap<string | null, number>;
  readonly #indexOfRow: Int32Array;
  readonly #buckets: readonly (number | undefined)[];
  /** Place in `#buckets`. */
  readonly #bucketOfRow: Int32Array;
  /** NaN is null. A column in which every row has what a row without calls has is left out. */
  readonly #columns: ReadonlyMap<keyof UsageSums, Float64Array>;
  readonly #latencies: readonly Tally['latencies'][];
  readonly #values = new Map<keyof UsageSums, (number | null)[]>();

  constructor(cells: Cells) {
    const rows = [...cells];
    this.keys = cells.keys;
    this.#indexes = new Map(this.keys.map((key, index) => [nameOfKey(key), index]));
    this.#indexOfRow = Int32Array.from(rows, ({ index }) => index);
    this.#buckets = [...new Set(rows.map(({ bucket }) => bucket))];
    const places = new Map(this.#buckets.map((bucket, place) => [bucket, place]));
    this.#bucketOfRow = Int32Array.from(rows, ({ bucket }) => places.get(bucket) ?? 0);
    const columns = new Map<keyof UsageSums, Float64Array>();
    for (const name of SUM_KEYS) {
      const column = columnOf(rows, name);
      if (column !== undefined) columns.set(name, column);
    }
    this.#columns = columns;
    const hasSketches = rows.some(({ tally }) => tally.latencies !== undefined);
    this.#latencies = hasSketches ? rows.map(({ tally }) => tally.latencies) : [];
    this.size = rows.length * (hasSketches ? ROWS_A_SKETCH : 1);
  }

  has(key: Key): boolean {
    return this.#indexes.has(nameOfKey(key));
  }

  /** The first `limit` keys of the query, by these sums and `more` together. */
  first(query: CheckedQuery, more: Cells): readonly Key[] {
    const values = this.#valuesOf(query);
    const changed = new Map<string | null, RankedKey>();
    for (const { index, tally } of more) {
      const key = more.keys[index] ?? [];
      const name = nameOfKey(key);
      const before = changed.get(name)?.value ?? values[this.#indexes.get(name) ?? -1] ?? null;
      const value = metricOf(tally.sums, query.orderBy);
      changed.set(name, { key, value: value === null ? before : (before ?? 0) + value });
    }
    const first = new FirstKeys(query);
    for (const ranked of changed.values()) first.add(ranked);
    for (const [index, key] of this.keys.entries()) {
      if (!changed.has(nameOfKey(key))) first.add({ key, value: values[index] ?? null });
    }
    return first.keys();
  }

  /** Adds the sums to the cells of the named keys, and to those of all others. */
  addTo(cells: Cells): void {
    const placeOfIndex = new Int32Array(this.keys.length).fill(OTHER);
    for (const [place, key] of cells.named?.keys.entries() ?? []) {
      const index = this.#indexes.get(nameOfKey(key));
      if (index !== undefined) placeOfIndex[index] = place;
    }
    const tallies: Tally[] = [];
    const targets = new Map<number, number>();
    const targetOfRow = new Int32Array(this.#indexOfRow.length);
    for (const [row, index] of this.#indexOfRow.entries()) {
      const place = placeOfIndex[index] ?? OTHER;
      const bucket = this.#bucketOfRow[row] ?? 0;
      const id = (place - OTHER) * this.#buckets.length + bucket;
      let target = targets.get(id);
      if (target === undefined) {
        target = tallies.push(cells.tallyAt(place, this.#buckets[bucket])) - 1;
        targets.set(id, target);
      }
      targetOfRow[row] = target;
    }
    for (const [name, column] of this.#columns) addColumn(tallies, targetOfRow, name, column);
    for (const [row, latencies] of this.#latencies.entries()) {
      const tally = tallies[targetOfRow[row] ?? 0];
      if (latencies === undefined || tally?.latencies === undefined) continue;
      tally.latencies.duration.merge(latencies.duration);
      tally.latencies.firstChunk.merge(latencies.firstChunk);
    }
  }

  /** The metric over all buckets, by index of the key. */
  #valuesOf({ orderBy }: CheckedQuery): readonly (number | null)[] {
    const name = sumName(orderBy);
    let values = this.#values.get(name);
    if (values !== undefined) return values;
    values = this.keys.map(() => NONE[name]);
    for (const [row, value] of this.#columns.get(name)?.entries() ?? []) {
      const index = this.#indexOfRow[row] ?? 0;
      if (!Number.isNaN(value)) values[index] = (values[index] ?? 0) + value;
    }
    this.#values.set(name, values);
    return values;
  }
}

/** Undefined where every row has what a row without calls has. */
function columnOf(rows: readonly Cell[], name: keyof UsageSums): Float64Array | undefined {
  const column = new Float64Array(rows.length);
  let isEmpty = true;
  for (let row = 0; row < rows.length; row++) {
    const value = rows[row]?.tally.sums[name] ?? Number.NaN;
    column[row] = value;
    isEmpty &&= NONE[name] === null ? Number.isNaN(value) : value === NONE[name];
  }
  return isEmpty ? undefined : column;
}

function addColumn(
  tallies: readonly Tally[],
  targetOfRow: Int32Array,
  name: keyof UsageSums,
  column: Float64Array,
): void {
  const sums = new Float64Array(tallies.length).fill(Number.NaN);
  for (let row = 0; row < column.length; row++) {
    const value = column[row] ?? Number.NaN;
    if (Number.isNaN(value)) continue;
    const target = targetOfRow[row] ?? 0;
    const before = sums[target] ?? Number.NaN;
    sums[target] = Number.isNaN(before) ? value : before + value;
  }
  for (const [target, tally] of tallies.entries()) {
    const value = sums[target] ?? Number.NaN;
    if (!Number.isNaN(value)) tally.sums[name] = (tally.sums[name] ?? 0) + value;
  }
}
