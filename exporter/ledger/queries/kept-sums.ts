import { type Cell, type Cells, OTHER } from './cells.ts';
import { type Key, nameOfKey } from './key.ts';
import type { CheckedQuery } from './checked-query.ts';
import type { KeptCells } from './kept-cells.ts';
import { FirstKeys, type RankedKey } from './ranking.ts';
import { addColumn, addValues } from './sums-table.ts';
import { addTally, metricOf, newTally, sumName, type Tally, type UsageSums } from './usage-sums.ts';

/** A row with sketches is worth this many without. */
const ROWS_A_SKETCH = 20;
/** Sorted keys are kept for questions that need a few more. */
const MIN_ORDERED = 1000;
/** More names take longer to compare than their sums to add up. */
const MAX_FOLDED_KEYS = 100;
const MAX_FOLDED = 20;
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
  /** First keys by metric and direction. */
  readonly #orders = new Map<string, readonly RankedKey[]>();
  /** Cells of named keys and of all others, by the names. */
  readonly #folded = new Map<string, readonly Cell[]>();

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

  /** Number of keys that are not of calls without one; of a single dimension. */
  get known(): number {
    return this.keys.length - Number(this.#indexes.has(null));
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
      const before = changed.get(name)?.value ?? valueAt(values, this.#indexes.get(name) ?? -1);
      const value = metricOf(tally.sums, query.orderBy);
      changed.set(name, { key, value: value === null ? before : (before ?? 0) + value });
    }
    const first = new FirstKeys(query);
    for (const ranked of changed.values()) first.add(ranked);
    // No more of them than that can have moved to another place.
    for (const ranked of this.#firstOf(query, query.limit + changed.size)) {
      if (!changed.has(nameOfKey(ranked.key))) first.add(ranked);
    }
    return first.keys();
  }

  /** The first keys by these sums alone, `count` or more of them if there are as many. */
  #firstOf({ orderBy, ascending }: CheckedQuery, count: number): readonly RankedKey[] {
    const order = `${orderBy} ${ascending}`;
    const known = this.#orders.get(order) ?? [];
    if (known.length >= Math.min(count, this.keys.length)) return known;
    const values = this.#valuesOf({ orderBy });
    const first = new FirstKeys({ ascending, limit: Math.max(2 * count, MIN_ORDERED) });
    for (const [index, key] of this.keys.entries()) {
      first.add({ key, value: valueAt(values, index) });
    }
    const ranked = first.ranked();
    this.#orders.set(order, ranked);
    return ranked;
  }

  /** Adds the sums to the cells of the named keys, and to those of all others. */
  addTo(cells: Cells): void {
    const named = cells.named?.keys ?? [];
    for (const { index, bucket, tally } of this.#foldedFor(named)) {
      addTally(cells.tallyAt(index, bucket), tally);
    }
  }

  /** Views that are opened again mostly name the same keys. */
  #foldedFor(named: readonly Key[]): readonly Cell[] {
    if (named.length > MAX_FOLDED_KEYS) return this.#fold(named);
    const name = JSON.stringify(named);
    let folded = this.#folded.get(name);
    if (folded === undefined) {
      folded = this.#fold(named);
      if (this.#folded.size >= MAX_FOLDED) this.#folded.clear();
      this.#folded.set(name, folded);
    }
    return folded;
  }

  #fold(named: readonly Key[]): readonly Cell[] {
    const placeOfIndex = new Int32Array(this.keys.length).fill(OTHER);
    for (const [place, key] of named.entries()) {
      const index = this.#indexes.get(nameOfKey(key));
      if (index !== undefined) placeOfIndex[index] = place;
    }
    const cells: Cell[] = [];
    const width = this.#buckets.length;
    const targets = new Int32Array((named.length + 1) * width).fill(-1);
    const targetOfRow = new Int32Array(this.#indexOfRow.length);
    for (let row = 0; row < targetOfRow.length; row++) {
      const index = placeOfIndex[this.#indexOfRow[row] ?? 0] ?? OTHER;
      const place = this.#bucketOfRow[row] ?? 0;
      const id = (index - OTHER) * width + place;
      let target = targets[id] ?? -1;
      if (target === -1) {
        const tally = newTally(this.#latencies.length > 0);
        target = cells.push({ index, bucket: this.#buckets[place], tally }) - 1;
        targets[id] = target;
      }
      targetOfRow[row] = target;
    }
    const tallies = cells.map(({ tally }) => tally);
    for (const [name, values] of this.#columns) {
      addColumn(tallies, targetOfRow, { name, values });
    }
    for (const [row, latencies] of this.#latencies.entries()) {
      const tally = tallies[targetOfRow[row] ?? 0];
      if (latencies === undefined || tally?.latencies === undefined) continue;
      tally.latencies.duration.merge(latencies.duration);
      tally.latencies.firstChunk.merge(latencies.firstChunk);
    }
    return cells;
  }

  /** The metric over all buckets, by index of the key; NaN where it is unknown. */
  #valuesOf({ orderBy }: Pick<CheckedQuery, 'orderBy'>): Float64Array {
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

function valueAt(values: Float64Array, index: number): number | null {
  const value = values[index] ?? Number.NaN;
  return Number.isNaN(value) ? null : value;
}
