import type { CheckedQuery } from './checked-query.ts';
import { newTally, type Tally } from './usage-sums.ts';

/** One value per grouped dimension; `null` for calls without one. */
export type Key = readonly (string | null)[];

/** Distinguishes keys of one query, in a map; most have one dimension, and some ledgers many keys. */
export function nameOfKey(key: Key): string | null {
  return key.length === 1 ? (key[0] ?? null) : JSON.stringify(key);
}

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

  indexOf(key: Key): number {
    return this.#index.get(nameOfKey(key)) ?? OTHER;
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
  readonly #percentiles: boolean;
  readonly #indexes = new Map<string | null, number>();
  readonly #keys: Key[] = [];
  readonly #cells = new Map<string | number, Cell>();

  constructor(query: CheckedQuery, bounds: { named: NamedKeys } | { maxCells: number }) {
    this.#percentiles = query.percentiles;
    this.named = 'named' in bounds ? bounds.named : undefined;
    this.maxCells = 'named' in bounds ? Infinity : bounds.maxCells;
  }

  get keys(): readonly Key[] {
    return this.named?.keys ?? this.#keys;
  }

  /** @throws TooManyKeys */
  tally(key: Key, bucket: number | undefined): Tally {
    return this.tallyAt(this.named?.indexOf(key) ?? this.#place(key), bucket);
  }

  tallyAt(index: number, bucket: number | undefined): Tally {
    const id = bucket === undefined ? index : `${index}/${bucket}`;
    let cell = this.#cells.get(id);
    if (cell === undefined) {
      if (this.#cells.size >= this.maxCells) throw new TooManyKeys();
      cell = { index, bucket, tally: newTally(this.#percentiles) };
      this.#cells.set(id, cell);
    }
    return cell.tally;
  }

  #place(key: Key): number {
    const name = nameOfKey(key);
    const known = this.#indexes.get(name);
    if (known !== undefined) return known;
    this.#indexes.set(name, this.#keys.length);
    return this.#keys.push(key) - 1;
  }

  /** Cells with at least one call. */
  *[Symbol.iterator](): Generator<Cell> {
    for (const cell of this.#cells.values()) if (cell.tally.sums.calls > 0) yield cell;
  }
}
