import type { CheckedQuery } from './checked-query.ts';
import { newTally, type Tally } from './usage-sums.ts';

/** One value for each grouped dimension; `null`: the calls have none. */
export type Key = readonly (string | null)[];

/** Index of everything beyond the named keys. */
export const OTHER = -1;

/** The keys that get rows of their own, in their order. */
export class NamedKeys {
  readonly keys: readonly Key[];
  readonly #index: ReadonlyMap<string, number>;

  constructor(keys: readonly Key[]) {
    this.keys = keys;
    this.#index = new Map(keys.map((key, index) => [JSON.stringify(key), index]));
  }

  indexOf(key: Key): number {
    return this.#index.get(JSON.stringify(key)) ?? OTHER;
  }
}

export interface Cell {
  /** Of `NamedKeys`, or `OTHER`. */
  readonly index: number;
  /** Hours: UTC start in ms. Days: local days since 1970. Absent without a time group. */
  readonly bucket: number | undefined;
  readonly tally: Tally;
}

/** The numbers of one query while they are gathered: one cell a named key and bucket. */
export class Cells {
  readonly named: NamedKeys;
  readonly #percentiles: boolean;
  readonly #cells = new Map<string, Cell>();

  constructor(query: CheckedQuery, named: NamedKeys) {
    this.named = named;
    this.#percentiles = query.percentiles;
  }

  tally(index: number, bucket: number | undefined): Tally {
    const id = `${index}/${bucket ?? ''}`;
    let cell = this.#cells.get(id);
    if (cell === undefined) {
      cell = { index, bucket, tally: newTally(this.#percentiles) };
      this.#cells.set(id, cell);
    }
    return cell.tally;
  }

  /** Cells that have a call. */
  *[Symbol.iterator](): Generator<Cell> {
    for (const cell of this.#cells.values()) if (cell.tally.sums.calls > 0) yield cell;
  }
}
