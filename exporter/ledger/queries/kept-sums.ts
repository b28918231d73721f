import { type Cells, OTHER } from './cells.ts';
import { type Key, nameOfKey } from './key.ts';
import type { CheckedQuery } from './checked-query.ts';
import type { KeptCells } from './kept-cells.ts';
import { FirstKeys, type RankedKey } from './ranking.ts';
import { addColumn, addValues } from './sums-table.ts';
import { metricOf, newTally, sumName, type Tally, type UsageSums } from './usage-sums.ts';

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
  readonly #values = new Map<keyof UsageSums, Float64Array>();

  constructor(cells: KeptCells) {
    const { keys, indexes, indexOfRow, buckets, bucketOfRow, columns, latencies } =
      cells.byColumns();
    this.keys = keys;
    this.#indexes = indexes;
    this.#indexOfRow = indexOfRow;
    this.#buckets = buckets;
    this.#bucketOfRow = bucketOfRow;
    this.#columns = columns;
    this.#latencies = latencies;
    this.size = indexOfRow.length * (latencies.length > 0 ? ROWS_A_SKETCH : 1);
  }

  has(key: Key): boolean {
    return this.#indexes.has(nameOfKey(key));
  }

  /** The first `limit` keys of the query, by these sums and `more` together. */
  first(query: CheckedQuery, more: Cells): readonly Key[] {
    const values = this.#valuesOf(query);
    const valueAt = (index: number): number | null => {
      const value = values[index] ?? Number.NaN;
      return Number.isNaN(value) ? null : value;
    };
    const first = new FirstKeys(query);
    const changed = new Map<string | null, RankedKey>();
    const isChanged = new Uint8Array(this.keys.length);
    for (const { index, tally } of more) {
      const key = more.keys[index] ?? [];
      const name = nameOfKey(key);
      const place = this.#indexes.get(name) ?? -1;
      const before = changed.get(name)?.value ?? valueAt(place);
      const value = metricOf(tally.sums, query.orderBy);
      changed.set(name, { key, value: value === null ? before : (before ?? 0) + value });
      isChanged[place] = 1;
    }
    for (const ranked of changed.values()) first.add(ranked);
    for (const [index, key] of this.keys.entries()) {
      if (isChanged[index] === 0) first.add({ key, value: valueAt(index) });
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
    const width = this.#buckets.length;
    const targets = new Int32Array(((cells.named?.keys.length ?? 0) + 1) * width).fill(-1);
    const targetOfRow = new Int32Array(this.#indexOfRow.length);
    for (let row = 0; row < targetOfRow.length; row++) {
      const place = placeOfIndex[this.#indexOfRow[row] ?? 0] ?? OTHER;
      const bucket = this.#bucketOfRow[row] ?? 0;
      const id = (place - OTHER) * width + bucket;
      let target = targets[id] ?? -1;
      if (target === -1) {
        target = tallies.push(cells.tallyAt(place, this.#buckets[bucket])) - 1;
        targets[id] = target;
      }
      targetOfRow[row] = target;
    }
    for (const [name, values] of this.#columns) {
      addColumn(tallies, targetOfRow, { name, values });
    }
    for (const [row, latencies] of this.#latencies.entries()) {
      const tally = tallies[targetOfRow[row] ?? 0];
      if (latencies === undefined || tally?.latencies === undefined) continue;
      tally.latencies.duration.merge(latencies.duration);
      tally.latencies.firstChunk.merge(latencies.firstChunk);
    }
  }

  /** The metric over all buckets, by index of the key; NaN where it is unknown. */
  #valuesOf({ orderBy }: CheckedQuery): Float64Array {
    const name = sumName(orderBy);
    let values = this.#values.get(name);
    if (values !== undefined) return values;
    values = new Float64Array(this.keys.length).fill(NONE[name] ?? Number.NaN);
    const column = this.#columns.get(name);
    if (column !== undefined) addValues(values, this.#indexOfRow, column);
    this.#values.set(name, values);
    return values;
  }
}
