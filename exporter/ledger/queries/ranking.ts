import { TooManyKeys } from './cells.ts';
import { type Key, nameOfKey } from './key.ts';
import type { CheckedQuery } from './checked-query.ts';

/** Keys held in memory at once, about ten megabytes. */
const MAX_KEYS = 200_000;
const SPREAD = 8;
const MIN_SORTED = 100;

export interface RankedKey {
  readonly key: Key;
  /** Null when none of its calls has the metric. */
  readonly value: number | null;
}

/** Unknown metrics sort last in either direction; equal ones sort by key. */
export function rankOrder({
  ascending,
}: Pick<CheckedQuery, 'ascending'>): (a: RankedKey, b: RankedKey) => number {
  return (a, b) => {
    if (a.value === b.value) return keyOrder(a.key, b.key);
    if (a.value === null || b.value === null) {
      return Number(a.value === null) - Number(b.value === null);
    }
    return ascending ? a.value - b.value : b.value - a.value;
  };
}

function keyOrder(a: Key, b: Key): number {
  for (const [place, x] of a.entries()) {
    const y = b[place] ?? null;
    if (x === y) continue;
    if (x === null || y === null) return Number(x === null) - Number(y === null);
    return x < y ? -1 : 1;
  }
  return 0;
}

/** The first `limit` of many keys, each added once. */
export class FirstKeys {
  readonly #limit: number;
  readonly #compare: (a: RankedKey, b: RankedKey) => number;
  #first: RankedKey[] = [];
  /** No key after it is among the first. */
  #last: RankedKey | undefined;

  constructor(query: Pick<CheckedQuery, 'ascending' | 'limit'>) {
    this.#limit = query.limit;
    this.#compare = rankOrder(query);
  }

  add(ranked: RankedKey): void {
    if (this.#last !== undefined && this.#compare(this.#last, ranked) < 0) return;
    this.#first.push(ranked);
    // Seldom: each time sorts twice as many as are kept.
    if (this.#first.length >= 2 * this.#limit + MIN_SORTED) this.#cut();
  }

  keys(): readonly Key[] {
    return this.ranked().map(({ key }) => key);
  }

  ranked(): readonly RankedKey[] {
    this.#cut();
    return this.#first;
  }

  #cut(): void {
    this.#first = this.#first.toSorted(this.#compare).slice(0, this.#limit);
    if (this.#first.length === this.#limit) this.#last = this.#first.at(-1);
  }
}

/** Adds to a key's metric; null when the calls do not have it. */
export type AddToRank = (key: Key, value: number | null) => void;

/**
 * Finds the top `limit` of any number of keys in bounded memory. `pass` iterates over all calls;
 * with too many keys it runs once per partition of the keys.
 */
export async function rankKeys(
  query: Pick<CheckedQuery, 'ascending' | 'limit'>,
  pass: (add: AddToRank) => Promise<void>,
  maxKeys: number = MAX_KEYS,
): Promise<readonly Key[]> {
  for (let shares = 1; ; shares *= SPREAD) {
    try {
      let first: RankedKey[] = [];
      for (let share = 0; share < shares; share++) {
        const ranked = await rankShare(pass, (name) => hash(name) % shares === share, maxKeys);
        first = [...first, ...ranked].toSorted(rankOrder(query)).slice(0, query.limit);
      }
      return first.map(({ key }) => key);
    } catch (error) {
      if (!(error instanceof TooManyKeys)) throw error;
    }
  }
}

async function rankShare(
  pass: (add: AddToRank) => Promise<void>,
  isOfShare: (name: string) => boolean,
  maxKeys: number,
): Promise<RankedKey[]> {
  const values = new Map<string | null, { readonly key: Key; value: number | null }>();
  await pass((key, value) => {
    const name = nameOfKey(key);
    if (!isOfShare(name ?? '')) return;
    const known = values.get(name);
    if (known === undefined) {
      if (values.size >= maxKeys) throw new TooManyKeys();
      values.set(name, { key, value });
    } else if (value !== null) known.value = (known.value ?? 0) + value;
  });
  return [...values.values()];
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}
