import { Cells, TooManyKeys } from './cells.ts';
import { type Key } from './key.ts';
import { addValues, type SumsTable } from './sums-table.ts';
import { newTally, SUM_KEYS, type Tally, type UsageSums } from './usage-sums.ts';

const NONE: Readonly<UsageSums> = newTally(false).sums;
const FIRST_ROWS = 1024;

/** Sums of keys and buckets by columns. A row without calls may be among them. */
export interface CellColumns {
  readonly keys: readonly Key[];
  /** Of `keys`, by name. */
  readonly indexes: ReadonlyMap<string | null, number>;
  readonly indexOfRow: Int32Array;
  readonly buckets: readonly (number | undefined)[];
  /** Place in `buckets`. */
  readonly bucketOfRow: Int32Array;
  /** NaN: nothing was added. A column is left out where that is so in every row. */
  readonly columns: ReadonlyMap<keyof UsageSums, Float64Array>;
  /** Of each row; empty without percentiles. */
  readonly latencies: readonly Tally['latencies'][];
}

/**
 * Cells that are made to be kept. Whole tables, of which there may be some hundred thousand rows, are added column by
 * column; an object for each of them would cost many times as much.
 */
export class KeptCells extends Cells {
  readonly #rows: number[] = [];
  readonly #bucketOfRow: number[] = [];
  readonly #buckets = new Map<
    number | undefined,
    { place: number; rows: (number | undefined)[] }
  >();
  readonly #columns = new Map<keyof UsageSums, Float64Array>();

  override addTable(table: SumsTable, bucket: number | undefined): void {
    // Sketches need an object for each row anyway.
    if (this.percentiles) {
      super.addTable(table, bucket);
      return;
    }
    const rows = this.indexesOf(table).map(this.#rowsOf(bucket));
    for (const { name, values } of table.columns) addValues(this.#column(name), rows, values);
  }

  byColumns(): CellColumns {
    const cells = [...this];
    const rows = Int32Array.from(cells, ({ index, bucket }) => this.#rowsOf(bucket)(index));
    for (const name of SUM_KEYS) {
      const values = cells.map(({ tally }) => tally.sums[name] ?? null);
      if (values.some((value) => value !== (NONE[name] ?? null))) {
        addValues(this.#column(name), rows, values);
      }
    }
    const latencies: Tally['latencies'][] = [];
    for (const [at, { tally }] of cells.entries()) {
      if (tally.latencies !== undefined) latencies[rows[at] ?? 0] = tally.latencies;
    }
    const count = this.#rows.length;
    return {
      keys: this.keys,
      indexes: this.indexes,
      indexOfRow: Int32Array.from(this.#rows),
      buckets: [...this.#buckets.keys()],
      bucketOfRow: Int32Array.from(this.#bucketOfRow),
      columns: new Map([...this.#columns].map(([name, column]) => [name, column.slice(0, count)])),
      latencies,
    };
  }

  /** The row of an index in a bucket. @throws TooManyKeys */
  #rowsOf(bucket: number | undefined): (index: number) => number {
    let known = this.#buckets.get(bucket);
    if (known === undefined) {
      known = { place: this.#buckets.size, rows: [] };
      this.#buckets.set(bucket, known);
    }
    const { place, rows } = known;
    return (index) => {
      const row = rows[index];
      if (row !== undefined) return row;
      if (this.#rows.length >= this.maxCells) throw new TooManyKeys();
      this.#bucketOfRow.push(place);
      return (rows[index] = this.#rows.push(index) - 1);
    };
  }

  #column(name: keyof UsageSums): Float64Array {
    const before = this.#columns.get(name);
    if (before !== undefined && before.length >= this.#rows.length) return before;
    let length = before?.length ?? FIRST_ROWS;
    while (length < this.#rows.length) length *= 2;
    const column = new Float64Array(length).fill(Number.NaN);
    if (before !== undefined) column.set(before);
    this.#columns.set(name, column);
    return column;
  }
}
