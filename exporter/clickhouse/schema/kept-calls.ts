import { LEDGER } from './columns.ts';
import { literal, type Names } from './layout.ts';
import { CELLS } from './roll-ups.ts';

/**
 * In the table of cells, beside those of roll-ups: starts of days before which the calls may be gone. The latest one
 * counts, also after the retention was prolonged or removed: calls that are gone do not come back.
 */
const KEPT = 'kept';

/** Nothing of a day is summed up again when its first calls are about to go: longer than a statement takes. */
const MARGIN_HOURS = 1;
/** What changes later than this before a day is gone might not be summed up in time. */
export const CHANGE_MARGIN_HOURS = 2;

/** The first day of which all calls are kept for an hour more, after so many days of retention; 1970 for 0. */
export function firstKeptDay(days: string, marginHours: number = MARGIN_HOURS): string {
  const end = `now('UTC') - toIntervalDay(${days}) + INTERVAL ${marginHours} HOUR`;
  // Of the day that is running, all calls are kept.
  return `if(${days} = 0, toDateTime(0, 'UTC'),
    least(toStartOfDay(now('UTC')), toStartOfDay(${end} + INTERVAL 86399 SECOND)))`;
}

interface KeptTables {
  /** Of the cells. */
  readonly cells: string;
  /** An expression. */
  readonly database: string;
}

export const OF_SESSION: KeptTables = { cells: CELLS, database: 'currentDatabase()' };

/** Notes of all servers count. */
export const keptTables = (names: Names): KeptTables => ({
  cells: names.table(CELLS),
  database: literal(names.database),
});

/** Days after which the server deletes calls, when it merges; 0 where it keeps them. */
const retentionOf = ({ database }: Pick<KeptTables, 'database'>): string =>
  `(SELECT max(toUInt32OrZero(extract(engine_full, 'toIntervalDay\\\\((\\\\d+)\\\\)'))) FROM system.tables
    WHERE database = ${database} AND name IN ('${LEDGER}', '${LEDGER}_local'))`;

/** The time from which on all calls are kept, as an expression; 1970 where none is gone. */
export function keptSince(tables: KeptTables, marginHours: number = MARGIN_HOURS): string {
  return `greatest(${firstKeptDay(retentionOf(tables), marginHours)}, (${notedIn(tables)}))`;
}

const notedIn = ({ cells }: Pick<KeptTables, 'cells'>): string =>
  `SELECT max(cell) FROM ${cells} WHERE roll_up = '${KEPT}'`;

/** The row of the cells that notes it; none where nothing is new. */
export function keptQuery(tables: KeptTables): string {
  return `SELECT '${KEPT}' AS roll_up, '' AS shard, since AS cell,
  toDateTime64(0, 3, 'UTC') AS changed, toDateTime64(0, 3, 'UTC') AS made
FROM (SELECT ${firstKeptDay(retentionOf(tables))} AS since)
WHERE since > (${notedIn(tables)})`;
}
