import type { CheckedQuery } from './checked-query.ts';
import { newTally, type Tally } from './usage-sums.ts';

/** One value for each grouped dimension; `null`: the calls have none. */
export type Key = readonly (string | null)[];

/** Everything beyond the named keys. */
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

/** A gathering was given up: the calls have more keys than may be held at once. */
export class TooManyKeys extends Error {}

/**
 * The numbers of one query while they are gathered, one cell a key and bucket. Without named keys
 * every key is one, up to a bound; with them everything else is `OTHER`.
 */
export class Cells {
  readonly named: NamedKeys | undefined;
  readonly #percentiles: boolean;
  readonly #maxCells: number;
  readonly #indexes = new Map<string, number>();
  readonly #keys: Key[] = [];
  readonly #cells = new Map<string, Cell>();

  constructor(query: CheckedQuery, bounds: { named: NamedKeys } | { maxCells: number }) {
    this.#percentiles = query.percentiles;
    this.named = 'named' in bounds ? bounds.named : undefined;
    this.#maxCells = 'named' in bounds ? Infinity : bounds.maxCells;
  }

  get keys(): readonly Key[] {
    return this.named?.keys ?? this.#keys;
  }

  /** @throws TooManyKeys */
  tally(key: Key, bucket: number | undefined): Tally {
    return this.tallyAt(this.named?.indexOf(key) ?? this.#place(key), bucket);
  }

  tallyAt(index: number, bucket: number | undefined): Tally {
    const id = `${index}/${bucket ?? ''}`;
    let cell = this.#cells.get(id);
    if (cell === undefined) {
      if (this.#cells.size >= this.#maxCells) throw new TooManyKeys();
      cell = { index, bucket, tally: newTally(this.#percentiles) };
      this.#cells.set(id, cell);
    }
    return cell.tally;
  }

  #place(key: Key): number {
    const name = JSON.stringify(key);
    const known = this.#indexes.get(name);
    if (known !== undefined) return known;
    this.#indexes.set(name, this.#keys.length);
    return this.#keys.push(key) - 1;
  }

  /** Cells that have a call. */
  *[Symbol.iterator](): Generator<Cell> {
    for (const cell of this.#cells.values()) if (cell.tally.sums.calls > 0) yield cell;
  }
}
