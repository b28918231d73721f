import { erasedUserDigest } from '../../../src/domain/erased-user.ts';
import { type StoredTable, UsageTable } from '../../ledger/queries/usage-table.ts';
import { USERS } from './hour-tables.ts';
import type { ErasureNote } from './roll-up-state.ts';

/**
 * Marks of an erasure note whose calls it deletes. What that takes from a roll-up, the roll-up says itself: as many as
 * it has of that user, however often the erasure is tried and whatever came late.
 */
export type IsErased = (user: string) => boolean;

/** Enough to tell the users of an hour apart. */
const DIGEST_CHARACTERS = 16;

export const erasureDigest = (marker: string, user: string): string =>
  erasedUserDigest(`${marker}/${user}`).slice(0, DIGEST_CHARACTERS);

export function erasedBy(notes: readonly ErasureNote[]): IsErased {
  return (user) => notes.some(({ marker, digest }) => erasureDigest(marker, user) === digest);
}

/** The rows of a table of users that are of erased ones. */
function erasedRows({ names, keys }: StoredTable, isErased: IsErased): readonly number[] {
  const place = names.indexOf('user');
  if (place === -1) return [];
  return [...keys.keys()].filter((row) => {
    const user = keys[row]?.[place];
    return typeof user === 'string' && isErased(user);
  });
}

export function callsOfErased(table: StoredTable, isErased: IsErased): number {
  return erasedRows(table, isErased).reduce((sum, row) => sum + (table.sums.calls?.[row] ?? 0), 0);
}

/** A table of users in which the tokens of erased ones are those of no user; the same one where it has none of them. */
export function withoutErased(table: StoredTable, isErased: IsErased): StoredTable {
  const rows = new Set(erasedRows(table, isErased));
  if (rows.size === 0) return table;
  const place = table.names.indexOf('user');
  const keys = table.keys.map((key, row) =>
    rows.has(row) ? key.map((value, index) => (index === place ? null : value)) : key,
  );
  const changed = new UsageTable(USERS, { percentiles: false });
  changed.add({ ...table, keys });
  return changed.stored().table;
}
