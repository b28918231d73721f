import type { CheckedQuery } from './checked-query.ts';
import { type Key, nameOfKey } from './key.ts';
import { addColumn, type SumsTable } from './sums-table.ts';
import { newTally, type Tally } from './usage-sums.ts';

/** All keys that have no row. */
export const OTHER = -1;

/** Keys that get a row, in order. */
export class NamedKeys {
  readonly keys: readonly Key[];
  readonly #index: ReadonlyMap<string | null, number>;

  constructor(keys: readonly Key[]) {
    this.keys = keys;
    this.#index = new Map(keys.map((key, index) => [nameOfKey(key), index]));
  }

  /** By the name of a key. */
  indexOf(name: string | null): number {
    return this.#index.get(name) ?? OTHER;
  }
}

export interface Cell {
  /** A key of `NamedKeys`, or `OTHER`. */
  readonly index: number;
  /** Hours: UTC start in ms. Days: local days since 1970. Absent without grouping by time. */
  readonly bucket: number | undefined;
  readonly tally: Tally;
}

/** Thrown when the calls have more keys than may be held in memory. */
export class TooManyKeys extends Error {}

/**
 * Aggregates one query, with one cell per key and time bucket. Without named keys each key gets a
 * cell, up to a bound. With named keys all others are added to `OTHER`.
 */
export class Cells {
  readonly named: NamedKeys | undefined;
  readonly maxCells: number;
  protected readonly percentiles: boolean;
  /** Of `keys`, by name. */
  protected readonly indexes: Map<string | null, number> = new Map();
  readonly #keys: Key[] = [];
  readonly #indexOfNumber: number[] = [];
  readonly #cells = new Map<string | number, Cell>();

  constructor(query: CheckedQuery, bounds: { named: NamedKeys } | { maxCells: number }) {
    this.percentiles = query.percentiles;
    this.named = 'named' in bounds ? bounds.named : undefined;
    this.maxCells = 'named' in bounds ? Infinity : bounds.maxCells;
  }

  get keys(): readonly Key[] {
    return this.named?.keys ?? this.#keys;
  }

  /** @throws TooManyKeys */
  tally(key: Key, bucket: number | undefined): Tally {
    return this.tallyAt(
      this.indexOf(nameOfKey(key), () => key),
      bucket,
    );
  }

  /** Adds a table of one bucket. @throws TooManyKeys */
  addTable(table: SumsTable, bucket: number | undefined): void {
    const tallies: Tally[] = [];
    const targets = new Map<number, number>();
    const indexOfRow = this.indexesOf(table);
    const targetOfRow = new Int32Array(indexOfRow.length);
    for (const [row, index] of indexOfRow.entries()) {
      let target = targets.get(index);
      if (target === undefined) {
        target = tallies.push(this.tallyAt(index, bucket)) - 1;
        targets.set(index, target);
      }
      targetOfRow[row] = target;
    }
    for (const column of table.columns) addColumn(tallies, targetOfRow, column);
  }

  tallyAt(index: number, bucket: number | undefined): Tally {
    const id = bucket === undefined ? index : `${index}/${bucket}`;
    let cell = this.#cells.get(id);
    if (cell === undefined) {
      if (this.#cells.size >= this.maxCells) throw new TooManyKeys();
      cell = { index, bucket, tally: newTally(this.percentiles) };
      this.#cells.set(id, cell);
    }
    return cell.tally;
  }

  /** Of the keys of a table's rows. */
  protected indexesOf({ rows, nameOf, numbers, keyOf }: SumsTable): Int32Array {
    const indexes = new Int32Array(rows);
    let row = 0;
    const key = (): Key => keyOf(row);
    for (; row < rows; row++) {
      const number = numbers?.[row];
      let index = number === undefined ? undefined : this.#indexOfNumber[number];
      if (index === undefined) {
        index = this.indexOf(nameOf(row), key);
        if (number !== undefined) this.#indexOfNumber[number] = index;
      }
      indexes[row] = index;
    }
    return indexes;
  }

  protected indexOf(name: string | null, keyOf: () => Key): number {
    if (this.named !== undefined) return this.named.indexOf(name);
    const known = this.indexes.get(name);
    if (known !== undefined) return known;
    this.indexes.set(name, this.#keys.length);
    return this.#keys.push(keyOf()) - 1;
  }

  /** Cells with at least one call. */
  *[Symbol.iterator](): Generator<Cell> {
    for (const cell of this.#cells.values()) if (cell.tally.sums.calls > 0) yield cell;
  }
}
