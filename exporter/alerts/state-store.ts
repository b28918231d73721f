/** Sets an entry, or removes it, where it still is what it was. */
export interface AlertStateChange {
  readonly name: string;
  /** Absent: there was no such entry. */
  readonly before: string | undefined;
  /** Absent: removes the entry. */
  readonly after: string | undefined;
}

/**
 * Where alert states live: a small map of texts. Shared by the instances of a fleet, it makes one
 * of them the one that reports a change.
 */
export interface AlertStateStore {
  read(): Promise<ReadonlyMap<string, string>>;
  /**
   * Atomic for each entry. Returns the names of the entries that were as expected and are changed
   * now. Rejects if the store cannot be used; the changes may be made or not.
   */
  swap(changes: readonly AlertStateChange[]): Promise<ReadonlySet<string>>;
}

/** Applies changes to a map. The names of those that were as expected. */
export function swapIn(
  entries: Map<string, string>,
  changes: readonly AlertStateChange[],
): ReadonlySet<string> {
  const made = new Set<string>();
  for (const { name, before, after } of changes) {
    if (entries.get(name) !== before) continue;
    if (after === undefined) entries.delete(name);
    else entries.set(name, after);
    made.add(name);
  }
  return made;
}

/** For one process; forgotten at its end. */
export class MemoryAlertStates implements AlertStateStore {
  readonly #entries = new Map<string, string>();

  async read(): Promise<ReadonlyMap<string, string>> {
    return new Map(this.#entries);
  }

  async swap(changes: readonly AlertStateChange[]): Promise<ReadonlySet<string>> {
    return swapIn(this.#entries, changes);
  }
}
