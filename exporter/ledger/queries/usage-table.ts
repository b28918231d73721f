import type { Key } from './key.ts';
import { type Tally, newTally, SUM_KEYS, type UsageSums } from './usage-sums.ts';

/** Sums of calls by some of their dimensions, in a form that can be stored and added to others. */
export class UsageTable {
  /** Dimension of each member of a key. */
  readonly names: readonly string[];
  readonly #percentiles: boolean;
  readonly #rows = new Map<string, { readonly key: Key; readonly tally: Tally }>();

  constructor(names: readonly string[], { percentiles }: { readonly percentiles: boolean }) {
    this.names = names;
    this.#percentiles = percentiles;
  }

  tally(key: Key): Tally {
    const name = mapKey(key);
    let row = this.#rows.get(name);
    if (row === undefined) {
      row = { key, tally: newTally(this.#percentiles) };
      this.#rows.set(name, row);
    }
    return row.tally;
  }

  /** Adds the rows of a stored table. What it has no name for is null. */
  add(stored: StoredTable, sketches?: StoredSketches): void {
    const places = this.names.map((name) => stored.names.indexOf(name));
    for (const [index, from] of stored.keys.entries()) {
      const { sums, latencies } = this.tally(places.map((place) => from[place] ?? null));
      addStored(sums, stored, index);
      if (latencies === undefined || sketches === undefined) continue;
      addBins(latencies.duration, sketches.duration[index]);
      addBins(latencies.firstChunk, sketches.firstChunk[index]);
    }
  }

  /** In an order of its own: equal tables give equal texts. */
  stored(): { readonly table: StoredTable; readonly sketches: StoredSketches } {
    const rows = [...this.#rows.values()]
      .filter(({ tally }) => tally.sums.calls > 0)
      .map((row) => ({ ...row, name: JSON.stringify(row.key) }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
    // What no row has is left out, so that it does not matter who asked for it.
    const places = [...this.names.keys()].filter((place) =>
      rows.some(({ key }) => (key[place] ?? null) !== null),
    );
    const sums: Partial<Record<keyof UsageSums, (number | null)[]>> = {};
    for (const key of SUM_KEYS) {
      const column = rows.map(({ tally }) => tally.sums[key] ?? null);
      const none = EMPTY[key] ?? null;
      if (column.some((value) => value !== none)) sums[key] = column;
    }
    const binsOf = (kind: 'duration' | 'firstChunk'): number[][] =>
      rows.map(({ tally }) =>
        [...(tally.latencies?.[kind].bins ?? [])].toSorted(([a], [b]) => a - b).flat(),
      );
    return {
      table: {
        names: places.map((place) => this.names[place] ?? ''),
        keys: rows.map(({ key }) => places.map((place) => key[place] ?? null)),
        sums,
      },
      sketches: { duration: binsOf('duration'), firstChunk: binsOf('firstChunk') },
    };
  }
}

/** Differs for different keys of one length, in less time than JSON: once for each call. */
function mapKey(key: Key): string {
  let name = '';
  for (const text of key) name += text === null ? '-' : `${text.length}:${text}`;
  return name;
}

/** A table by columns, as JSON. A dimension without a value is left out, and a column in which every row has what a row without calls has. */
export interface StoredTable {
  readonly names: readonly string[];
  readonly keys: readonly Key[];
  readonly sums: Readonly<Partial<Record<keyof UsageSums, readonly (number | null)[]>>>;
}

/** Sketches of the rows of a table: bin, count, bin, count, … */
export interface StoredSketches {
  readonly duration: readonly (readonly number[])[];
  readonly firstChunk: readonly (readonly number[])[];
}

const EMPTY: UsageSums = newTally(false).sums;

/** Adds one row of a stored table. */
function addStored(target: UsageSums, { sums }: StoredTable, index: number): void {
  for (const key in sums) {
    const name = key as keyof UsageSums;
    const value = sums[name]?.[index];
    if (value !== null && value !== undefined) target[name] = (target[name] ?? 0) + value;
  }
}

/** Adds the bins of one row. */
export function addBins(
  sketch: { addBin(bin: number, count: number): void },
  bins: readonly number[] = [],
): void {
  for (let place = 0; place + 1 < bins.length; place += 2) {
    sketch.addBin(bins[place] ?? 0, bins[place + 1] ?? 0);
  }
}
