import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { LOG_RATIO, SMALLEST } from '../ledger/queries/quantile-sketch.ts';
import { type DayRow, encodeDayBlock } from './day-block.ts';
import { firstCallHour } from './kept-from.ts';
import { DAY_KINDS, type DayKind, forgetDay } from './day-tables.ts';
import { DAYS, rebuildRollUps } from './roll-up.ts';
import { SUMS } from './sums.ts';
import { takeUnits } from './unit-columns.ts';

/** Makes the sums of a day; call it inside a transaction. */
export function sumUpDay(database: DatabaseSync, day: bigint): void {
  const range = [day * DAYS.ns, (day + 1n) * DAYS.ns] as const;
  if (takeUnits(database, ...range)) rebuildRollUps(database, range[0], range[1] - 1n);
  forgetDay(database, day);
  const insertBlock = database.prepare('INSERT INTO usage_day_block VALUES (?, ?, ?)');
  for (const kind of DAY_KINDS) {
    insertBlock.run(day, kind, encodeDayBlock(dayRows(database, kind, range)));
  }
  const bins = (column: string, condition: string): string => `
    SELECT service, provider, model, outcome, ifnull(team, '') AS team, ifnull(dimensions, '') AS dimensions,
      ${binOfColumn(column)} AS bin, count(*) AS calls
    FROM usage WHERE time_ns >= ? AND time_ns < ? AND ${condition} GROUP BY 1, 2, 3, 4, 5, 6, 7`;
  const insert = (kind: string, column: string, condition: string): void => {
    database
      .prepare(
        `INSERT INTO usage_day_bins (day, kind, service, provider, model, outcome, team, dimensions, bins)
         SELECT ${day}, '${kind}', service, provider, model, outcome, team, dimensions,
           json_group_array(json_array(bin, calls))
         FROM (${bins(column, condition)}) GROUP BY 3, 4, 5, 6, 7, 8`,
      )
      .run(...range);
  };
  // A result of a batch took a time that nobody knows.
  insert('duration', 'duration_ms', 'duration_ms > 0');
  insert('firstChunk', 'time_to_first_chunk_ms', 'time_to_first_chunk_ms IS NOT NULL');
  database.prepare('INSERT INTO usage_summed_day (day) VALUES (?)').run(day);
}

function dayRows(
  database: DatabaseSync,
  kind: DayKind,
  range: readonly [from: bigint, to: bigint],
): readonly DayRow[] {
  const sums = SUMS.map(({ ofCall }) => `CAST(sum(${ofCall}) AS REAL)`).join(', ');
  const statement = database.prepare(
    `SELECT ${kind}, team, outcome, ${sums} FROM usage WHERE time_ns >= ? AND time_ns < ?
     GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`,
  );
  statement.setReturnArrays(true);
  const rows = statement.all(...range) as unknown as readonly (readonly SQLOutputValue[])[];
  return rows.map(([key, team, outcome, ...values]) => ({
    key: textOf(key),
    team: textOf(team),
    outcome: textOf(outcome),
    sums: values.map((value) => (typeof value === 'number' ? value : null)),
  }));
}

const textOf = (value: SQLOutputValue | undefined): string | null =>
  typeof value === 'string' ? value : null;

/** Days with calls that are not summed up, oldest first. Finds one day after the other in the key of the table. */
export const OPEN_DAYS = `
  WITH RECURSIVE days (day) AS (
    SELECT min(day) FROM usage_day
    UNION ALL
    SELECT (SELECT min(day) FROM usage_day WHERE day > days.day) FROM days WHERE day IS NOT NULL
  )
  SELECT day FROM days WHERE day IS NOT NULL AND day NOT IN (SELECT day FROM usage_summed_day)`;

/** Those before `endDay` whose sums can be made. */
export function daysToSumUp(database: DatabaseSync, endDay: bigint): readonly bigint[] {
  const statement = database.prepare(OPEN_DAYS);
  statement.setReadBigInts(true);
  const firstDay = firstCallHour(database) / 24n;
  return statement
    .all()
    .map(({ day }) => day as bigint)
    .filter((day) => day >= firstDay && day < endDay);
}

/** Bin of the percentile sketch, as `binOf` has it. */
export const binOfColumn = (column: string): string =>
  `CAST(floor(ln(max(${column}, ${SMALLEST})) / ${LOG_RATIO}) AS INTEGER)`;
