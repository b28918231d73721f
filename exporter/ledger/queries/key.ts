/** One value per grouped dimension; `null` for calls without one. */
export type Key = readonly (string | null)[];

/** Distinguishes keys of one query, in a map; most have one dimension, and some ledgers many keys. */
export function nameOfKey(key: Key): string | null {
  return key.length === 1 ? (key[0] ?? null) : JSON.stringify(key);
}
