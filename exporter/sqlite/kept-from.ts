import type { DatabaseSync } from 'node:sqlite';

/** The first hours (UTC, since 1970) whose calls and sums retention has left; 0 where it has removed none. */
export interface KeptFrom {
  readonly calls: bigint;
  readonly sums: bigint;
}

export function keptFrom(database: DatabaseSync): KeptFrom {
  const statement = database.prepare('SELECT what, hour FROM usage_kept_from');
  statement.setReadBigInts(true);
  const hours = new Map(statement.all().map(({ what, hour }) => [what, hour as bigint]));
  return { calls: hours.get('calls') ?? 0n, sums: hours.get('sums') ?? 0n };
}

/** What was removed once cannot come back: an earlier hour changes nothing. */
export function setKeptFrom(database: DatabaseSync, what: keyof KeptFrom, hour: bigint): void {
  database
    .prepare(
      `INSERT INTO usage_kept_from VALUES (?, ?)
       ON CONFLICT (what) DO UPDATE SET hour = max(hour, excluded.hour)`,
    )
    .run(what, hour);
}

/** The first hour whose sums can be made of its calls: those before it have outlived them. */
export function firstCallHour(database: DatabaseSync): bigint {
  const { calls, sums } = keptFrom(database);
  return sums < calls ? calls : 0n;
}
