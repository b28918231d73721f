import type { Key } from './cells.ts';
import type { CheckedQuery } from './checked-query.ts';

/** Keys held at once: some ten megabytes. */
const MAX_KEYS = 100_000;
const SPREAD = 8;

/** Adds part of a key's metric; null: the calls do not tell it. */
export type AddToRank = (key: Key, value: number | null) => void;

class TooManyKeys extends Error {}

/**
 * The first `limit` keys of any number of them, in bounded memory: `pass` tells all calls, and where
 * the keys become too many it is run once for each share of them.
 */
export async function rankKeys(
  query: CheckedQuery,
  pass: (add: AddToRank) => Promise<void>,
  maxKeys: number = MAX_KEYS,
): Promise<readonly Key[]> {
  for (let shares = 1; ; shares *= SPREAD) {
    try {
      let first: Ranked[] = [];
      for (let share = 0; share < shares; share++) {
        const ranked = await rankShare(pass, (name) => hash(name) % shares === share, maxKeys);
        first = [...first, ...ranked].toSorted(byMetric(query)).slice(0, query.limit);
      }
      return first.map(({ name }) => JSON.parse(name) as Key);
    } catch (error) {
      if (!(error instanceof TooManyKeys)) throw error;
    }
  }
}

interface Ranked {
  /** The key as JSON. */
  readonly name: string;
  readonly value: number | null;
}

async function rankShare(
  pass: (add: AddToRank) => Promise<void>,
  isOfShare: (name: string) => boolean,
  maxKeys: number,
): Promise<Ranked[]> {
  const values = new Map<string, number | null>();
  await pass((key, value) => {
    const name = JSON.stringify(key);
    if (!isOfShare(name)) return;
    const before = values.get(name) ?? null;
    values.set(name, value === null ? before : (before ?? 0) + value);
    if (values.size > maxKeys) throw new TooManyKeys();
  });
  return [...values].map(([name, value]) => ({ name, value }));
}

/** Unknown metrics come last, equal ones by name, as SQLite has them. */
function byMetric({ ascending }: CheckedQuery): (a: Ranked, b: Ranked) => number {
  return (a, b) => {
    if (a.value !== b.value) {
      if (a.value === null || b.value === null)
        return Number(a.value === null) - Number(b.value === null);
      return ascending ? a.value - b.value : b.value - a.value;
    }
    return a.name < b.name ? -1 : 1;
  };
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}
