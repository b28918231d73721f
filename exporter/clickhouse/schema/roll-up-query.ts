import { CALL_SUMS, SUM_COLUMNS, sumType, UNIT_SUMS } from './call-sums.ts';
import { LEDGER } from './columns.ts';
import { firstKeptDay, keptSince, keptTables } from './kept-calls.ts';
import { type ClickHouseLayout, literal, Names } from './layout.ts';
import {
  binOfColumn,
  CELLS,
  cellOf,
  EMPTY_MINUTES,
  MAX_CELLS,
  QUIET_MINUTES,
  type RollUp,
  SKETCHES,
} from './roll-ups.ts';

const ALL_SUMS: readonly string[] = [...SUM_COLUMNS, UNIT_SUMS.name];

/** Which cells of a roll-up are made, as questions for `cell`. */
interface MadeCells {
  readonly summed: string;
  /** Those that get a row without calls as well. */
  readonly empty: string;
}

/** Cells whose calls have rested, or have not and are due for long. */
function dueCells(layout: ClickHouseLayout, { name }: RollUp): MadeCells {
  const names = new Names(layout);
  // A replica that is behind lacks calls.
  const upToDate =
    layout.replicated === true
      ? ` AND (SELECT max(absolute_delay) FROM system.replicas WHERE database = ${literal(layout.database)}) < 60`
      : '';
  // Without all of its calls, a cell cannot be made again.
  const kept = `cell >= ${keptSince(keptTables(names))}`;
  const after = (minutes: number): string => `SELECT cell FROM ${names.local(CELLS)}
      WHERE roll_up = '${name}' AND ${kept} GROUP BY cell
      HAVING max(changed) + INTERVAL ${QUIET_MINUTES} MINUTE > max(made)
        AND max(changed) + INTERVAL ${minutes} MINUTE < now64(3, 'UTC')${upToDate}
      ORDER BY cell LIMIT ${MAX_CELLS}`;
  return { summed: after(QUIET_MINUTES), empty: after(EMPTY_MINUTES) };
}

/** Cells that were changed after they were made, and whose calls are gone with so many days of retention, in seconds. */
export function goingCellsQuery(layout: ClickHouseLayout, { name }: RollUp, days: number): string {
  const names = new Names(layout);
  return `SELECT toUnixTimestamp(cell) AS second FROM ${names.local(CELLS)}
    WHERE roll_up = '${name}' AND cell >= ${keptSince(keptTables(names))} AND cell < ${firstKeptDay(`${days}`)}
    GROUP BY cell HAVING max(changed) >= max(made) ORDER BY cell`;
}

/** Makes these cells at once. Until their calls are gone no reader takes them, since nothing has rested. */
export function sumUpStatement(
  layout: ClickHouseLayout,
  rollUp: RollUp,
  seconds: readonly number[],
): string {
  const cells = `SELECT toDateTime(arrayJoin([${seconds.join(', ')}]), 'UTC') AS cell`;
  // By name: a table that was brought up to date has other places.
  return `INSERT INTO ${new Names(layout).local(rollUp.table)} (${columnsOf(rollUp).join(', ')})
${rollUpQuery(layout, rollUp, { summed: cells, empty: cells })}`;
}

const columnsOf = ({ keys, hasSketches }: RollUp): readonly string[] => [
  'cell',
  ...keys,
  ...(keys.includes('dimensions') ? ['dimensions_text'] : []),
  ...ALL_SUMS,
  ...(hasSketches ? SKETCHES.map(({ column }) => column) : []),
  'made',
];

/**
 * Sums of the cells that are due, and a row without calls for those that have been due for long: it marks a cell whose
 * calls are gone. The server looks for cells several times in one statement, so a cell that becomes due meanwhile would
 * have such a row alone, and count as one without calls.
 */
export function rollUpQuery(
  layout: ClickHouseLayout,
  rollUp: RollUp,
  { summed, empty: without }: MadeCells = dueCells(layout, rollUp),
): string {
  const names = new Names(layout);
  const { unit, keys, hasSketches } = rollUp;
  const hasDimensions = keys.includes('dimensions');
  const sums = [
    ...SUM_COLUMNS.map((column) => `sum(${CALL_SUMS[column]}) AS sum_${column}`),
    `sumMap(${UNIT_SUMS.name}) AS sum_${UNIT_SUMS.name}`,
  ];
  const sketches = hasSketches
    ? SKETCHES.map(
        ({ column, value, known }) =>
          `sumMapIf(map(${binOfColumn(value)}, toUInt64(1)), ${known}) AS ${column}`,
      )
    : [];
  const empty = [
    ...keys.map((key) =>
      key === 'dimensions' ? "CAST(map(), 'Map(LowCardinality(String), String)')" : "''",
    ),
    ...(hasDimensions ? ["''"] : []),
    // Absent is not 0.
    ...SUM_COLUMNS.map(sumType).map(
      (type) => `CAST(${type.startsWith('Nullable') ? 'NULL' : 0}, '${type}')`,
    ),
    `CAST(map(), '${UNIT_SUMS.type}')`,
    ...(hasSketches ? SKETCHES.map(() => "CAST(map(), 'Map(Int32, UInt64)')") : []),
  ];
  const made = "now64(3, 'UTC') AS made";
  return `SELECT cell, ${[...keys, ...(hasDimensions ? ['dimensions_text'] : [])].join(', ')},
  ${ALL_SUMS.map((column) => `sum_${column} AS ${column}`).join(', ')},
  ${[...(hasSketches ? SKETCHES.map(({ column }) => column) : []), 'made'].join(', ')}
FROM (
  SELECT ${cellOf(unit)} AS cell, ${keys.join(', ')},
    ${[...(hasDimensions ? ['toString(dimensions) AS dimensions_text'] : []), ...sums, ...sketches, made].join(',\n    ')}
  FROM ${names.local(LEDGER)} FINAL
  WHERE time >= (SELECT min(cell) FROM (${summed}))
    AND time < (SELECT max(cell) + INTERVAL 1 ${unit.toUpperCase()} FROM (${summed}))
    AND cell IN (${summed})
  GROUP BY cell, ${keys.join(', ')}
)
UNION ALL
SELECT ${columnsOf(rollUp)
    .map((column, place) => {
      if (place === 0) return 'cell';
      if (column === 'made') return made;
      return `${empty[place - 1] ?? "''"} AS ${column}`;
    })
    .join(', ')}
FROM (${without})`;
}
