import type { DatabaseSync } from 'node:sqlite';

/** What retention has left, by hours (UTC, since 1970); 0 where there is nothing to say. */
export interface KeptFrom {
  /** It has removed calls before this hour. */
  readonly calls: bigint;
  /** It has removed sums before this hour. */
  readonly sums: bigint;
  /**
   * Sums before this hour may have outlived their calls. The other two do not tell: calls of a time
   * whose calls and sums are gone may be written later, and their sums outlive them like others.
   */
  readonly outlived: bigint;
}

export function keptFrom(database: DatabaseSync): KeptFrom {
  const statement = database.prepare('SELECT what, hour FROM usage_kept_from');
  statement.setReadBigInts(true);
  const hours = new Map(statement.all().map(({ what, hour }) => [what, hour as bigint]));
  const hourOf = (what: keyof KeptFrom): bigint => hours.get(what) ?? 0n;
  return { calls: hourOf('calls'), sums: hourOf('sums'), outlived: hourOf('outlived') };
}

/** Calls before an hour are removed, and sums before another one that is not later. */
export function noteCallsRemoved(database: DatabaseSync, hour: bigint, sumHour: bigint): void {
  set(database, 'calls', hour);
  if (sumHour < hour) set(database, 'outlived', hour);
}

/** There are no sums before an hour any more; `removed`: there were some until now. */
export function noteSumsRemoved(database: DatabaseSync, hour: bigint, removed: boolean): void {
  if (removed) set(database, 'sums', hour);
  database.prepare("DELETE FROM usage_kept_from WHERE what = 'outlived' AND hour <= ?").run(hour);
}

/** What was removed once cannot come back: an earlier hour changes nothing. */
function set(database: DatabaseSync, what: keyof KeptFrom, hour: bigint): void {
  database
    .prepare(
      `INSERT INTO usage_kept_from VALUES (?, ?)
       ON CONFLICT (what) DO UPDATE SET hour = max(hour, excluded.hour)`,
    )
    .run(what, hour);
}

/** The first hour whose sums can be made of its calls: those before it have outlived them. */
export function firstCallHour(database: DatabaseSync): bigint {
  return keptFrom(database).outlived;
}
