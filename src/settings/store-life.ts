import { type StoredSettings, epochOf, isNothing, sameValues } from './stored-settings.ts';

/**
 * How what a store holds relates to the newest settings known here.
 *
 * - `same`: equal.
 * - `newer`: decided later than what is known: follow the store.
 * - `replaced`: the history of another store. It may be younger in versions and later in time, so the
 *   two cannot be compared: follow the store.
 * - `edited`: another content under the known version, or one without a version: the store was edited
 *   directly. Follow the store, under a new version.
 * - `behind`: the store holds an older decision than the known one, or none: restore it.
 */
export type StoreRelation = 'same' | 'newer' | 'replaced' | 'edited' | 'behind';

export function relationOf(known: StoredSettings, stored: StoredSettings): StoreRelation {
  if (isNothing(stored)) return isNothing(known) ? 'same' : 'behind';
  if (stored.store === undefined) return relationWithoutIdentity(known, stored);
  if (isNothing(known) || known.store === undefined) return 'newer';
  if (stored.store !== known.store) return 'replaced';
  const sameContent = sameValues(stored.values, known.values);
  if (epochOf(stored) === epochOf(known)) {
    if (stored.version === known.version) return sameContent ? 'same' : 'edited';
    if (stored.version > known.version) return 'newer';
  }
  return isLaterDecision(known, stored) ? 'behind' : 'newer';
}

/** There is nothing to compare by but the version itself. */
function relationWithoutIdentity(known: StoredSettings, stored: StoredSettings): StoreRelation {
  if (known.store !== undefined || stored.version < known.version) return 'edited';
  if (stored.version > known.version) return 'newer';
  return sameValues(stored.values, known.values) ? 'same' : 'edited';
}

/** Across epochs, and where a fail-over lost versions, the time of the decision is what is left to compare. */
function isLaterDecision(one: StoredSettings, other: StoredSettings): boolean {
  const [a, b] = [one.updatedAt ?? '', other.updatedAt ?? ''];
  return a === b ? one.version > other.version : a > b;
}
