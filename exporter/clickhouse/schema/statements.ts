import { CALL_SUMS, SUM_COLUMNS, sumType, UNIT_SUMS } from './call-sums.ts';
import { COLUMNS, definitionOf, LEDGER } from './columns.ts';
import { inDatabase, keptQuery, keptSince } from './kept-calls.ts';
import { type ClickHouseLayout, literal, Names, quoted } from './layout.ts';
import {
  binOfColumn,
  CELLS,
  cellOf,
  EMPTY_MINUTES,
  MAX_CELLS,
  QUIET_MINUTES,
  REFRESH_MINUTES,
  ROLL_UPS,
  type RollUp,
  SKETCHES,
} from './roll-ups.ts';

const ALL_SUMS: readonly string[] = [...SUM_COLUMNS, UNIT_SUMS.name];

/** Tables, each with the clause that makes it. All may be run again. */
export function tableStatements(layout: ClickHouseLayout): readonly string[] {
  const names = new Names(layout);
  const { onCluster, isDistributed } = names;
  const tables = [
    ledgerTable(names, layout),
    cellsTable(names),
    ...ROLL_UPS.map((rollUp) => rollUpTable(names, rollUp)),
  ];
  const distributed = [LEDGER, CELLS, ...ROLL_UPS.map(({ table }) => table)].map((name) => {
    const key = name === LEDGER ? 'cityHash64(record_id)' : 'rand()';
    return `CREATE TABLE IF NOT EXISTS ${names.table(name)}${onCluster} AS ${names.local(name)}
ENGINE = ${names.distributedEngine(name, key)}`;
  });
  return [
    `CREATE DATABASE IF NOT EXISTS ${quoted(layout.database)}${onCluster}`,
    ...tables,
    ...(isDistributed ? distributed : []),
  ];
}

function ledgerTable(names: Names, { replicated, retentionDays = 0 }: ClickHouseLayout): string {
  const ttl = retentionDays > 0 ? `\nTTL ${ttlOf(retentionDays)}` : '';
  // Replicated tables have a window of their own.
  const window = replicated === true ? '' : ', non_replicated_deduplication_window = 1000';
  return `CREATE TABLE IF NOT EXISTS ${names.local(LEDGER)}${names.onCluster}
(
  ${COLUMNS.map(definitionOf).join(',\n  ')},
  INDEX by_user user TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX by_conversation conversation TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ${names.engine('ReplacingMergeTree', 'revision')}
PARTITION BY toYYYYMM(time)
ORDER BY (time, record_id)${ttl}
SETTINGS ttl_only_drop_parts = 0${window}`;
}

export const ttlOf = (days: number): string => `toDateTime(time) + INTERVAL ${days} DAY`;

function cellsTable(names: Names): string {
  return `CREATE TABLE IF NOT EXISTS ${names.local(CELLS)}${names.onCluster}
(
  roll_up LowCardinality(String),
  shard LowCardinality(String),
  cell DateTime('UTC'),
  changed SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
  made SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
)
ENGINE = ${names.engine('AggregatingMergeTree', '')}
ORDER BY (roll_up, shard, cell)`;
}

/** Of the values of a map a sorting key takes the text: in whatever order they are, no two cells become one. */
const sortingKey = (key: string): string => (key === 'dimensions' ? 'dimensions_text' : key);

/** `FINAL` has nothing to do in a month that is one part: an hour after its last cell was made. */
export const ROLL_UP_SETTINGS =
  'min_age_to_force_merge_seconds = 3600, min_age_to_force_merge_on_partition_only = 1';

function rollUpTable(names: Names, { table, keys, hasSketches }: RollUp): string {
  const columns = [
    "cell DateTime('UTC') CODEC(Delta, ZSTD(1))",
    ...keys.map((key) => {
      const column = COLUMNS.find(({ name }) => name === key);
      return column === undefined ? key : definitionOf(column);
    }),
    ...(keys.includes('dimensions') ? ['dimensions_text String CODEC(ZSTD(1))'] : []),
    ...SUM_COLUMNS.map((column) => `${column} ${sumType(column)} CODEC(ZSTD(1))`),
    definitionOf(UNIT_SUMS),
    ...(hasSketches
      ? SKETCHES.map(({ column }) => `${column} Map(Int32, UInt64) CODEC(ZSTD(1))`)
      : []),
    "made DateTime64(3, 'UTC') CODEC(ZSTD(1))",
  ];
  return `CREATE TABLE IF NOT EXISTS ${names.local(table)}${names.onCluster}
(
  ${columns.join(',\n  ')}
)
ENGINE = ${names.engine('ReplacingMergeTree', 'made')}
PARTITION BY toYYYYMM(cell)
ORDER BY (cell, ${keys.map(sortingKey).join(', ')})
SETTINGS ${ROLL_UP_SETTINGS}`;
}

/** A materialised view, by name, its clauses before the question and the question. */
export interface ViewDefinition {
  readonly name: string;
  readonly clauses: string;
  readonly query: string;
}

/** Views that mark changed and made cells with each insert. */
export function markViews(layout: ClickHouseLayout): readonly ViewDefinition[] {
  const names = new Names(layout);
  return [
    {
      name: names.table('llm_usage_changes'),
      clauses: `TO ${names.local(CELLS)}`,
      query: changesQuery(layout),
    },
    ...ROLL_UPS.map(({ name, table }) => ({
      name: names.table(`${table}_made`),
      clauses: `TO ${names.local(CELLS)}`,
      query: `SELECT '${name}' AS roll_up, ${names.shard} AS shard, cell,
  toDateTime64(0, 3, 'UTC') AS changed, max(made) AS made
FROM ${names.local(table)} GROUP BY cell`,
    })),
  ];
}

/** The marks of the calls in the ledger: as a view, of those that are being inserted. */
export function changesQuery(layout: ClickHouseLayout, condition?: string): string {
  const names = new Names(layout);
  const cells = ROLL_UPS.map(({ name, unit }) => `('${name}', ${cellOf(unit)})`).join(', ');
  const where = condition === undefined ? '' : `\nWHERE ${condition}`;
  return `SELECT mark.1 AS roll_up, ${names.shard} AS shard, mark.2 AS cell,
  max(now64(3, 'UTC')) AS changed, toDateTime64(0, 3, 'UTC') AS made
FROM ${names.local(LEDGER)}
ARRAY JOIN [${cells}] AS mark${where}
GROUP BY roll_up, cell`;
}

/** Views that make the cells which are due, and note since when calls are kept. */
export function rollUpViews(layout: ClickHouseLayout): readonly ViewDefinition[] {
  const names = new Names(layout);
  const refresh = `REFRESH EVERY ${REFRESH_MINUTES} MINUTE APPEND TO`;
  return [
    ...ROLL_UPS.map((rollUp) => ({
      name: names.table(`${rollUp.table}_refresh`),
      clauses: `${refresh} ${names.local(rollUp.table)}`,
      query: rollUpQuery(layout, rollUp),
    })),
    {
      name: names.table('llm_usage_kept_refresh'),
      clauses: `${refresh} ${names.local(CELLS)}`,
      query: keptQuery(keptTables(names)),
    },
  ];
}

/** Notes of all servers count. */
export const keptTables = (names: Names): ReturnType<typeof inDatabase> =>
  inDatabase(names.database, names.table(CELLS));

/**
 * Sums of the cells that are due, and a row without calls for those that have been due for long: it marks a cell whose
 * calls are gone. The server looks for cells several times in one statement, so a cell that becomes due meanwhile would
 * have such a row alone, and count as one without calls.
 */
export function rollUpQuery(layout: ClickHouseLayout, rollUp: RollUp): string {
  const names = new Names(layout);
  const { name, unit, keys, hasSketches } = rollUp;
  const { replicated } = layout;
  const hasDimensions = keys.includes('dimensions');
  // Without all of its calls, a cell cannot be made again.
  const kept = `cell >= ${keptSince(keptTables(names))}`;
  // A replica that is behind lacks calls.
  const upToDate =
    replicated === true
      ? ` AND (SELECT max(absolute_delay) FROM system.replicas WHERE database = ${literal(layout.database)}) < 60`
      : '';
  const dueAfter = (minutes: number): string => `SELECT cell FROM ${names.local(CELLS)}
      WHERE roll_up = '${name}' AND ${kept} GROUP BY cell
      HAVING max(changed) + INTERVAL ${QUIET_MINUTES} MINUTE > max(made)
        AND max(changed) + INTERVAL ${minutes} MINUTE < now64(3, 'UTC')${upToDate}
      ORDER BY cell LIMIT ${MAX_CELLS}`;
  const due = dueAfter(QUIET_MINUTES);
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
  const columns = [
    'cell',
    ...keys,
    ...(hasDimensions ? ['dimensions_text'] : []),
    ...ALL_SUMS,
    ...(hasSketches ? SKETCHES.map(({ column }) => column) : []),
    'made',
  ];
  const made = "now64(3, 'UTC') AS made";
  return `SELECT cell, ${[...keys, ...(hasDimensions ? ['dimensions_text'] : [])].join(', ')},
  ${ALL_SUMS.map((column) => `sum_${column} AS ${column}`).join(', ')},
  ${[...(hasSketches ? SKETCHES.map(({ column }) => column) : []), 'made'].join(', ')}
FROM (
  SELECT ${cellOf(unit)} AS cell, ${keys.join(', ')},
    ${[...(hasDimensions ? ['toString(dimensions) AS dimensions_text'] : []), ...sums, ...sketches, made].join(',\n    ')}
  FROM ${names.local(LEDGER)} FINAL
  WHERE time >= (SELECT min(cell) FROM (${due}))
    AND time < (SELECT max(cell) + INTERVAL 1 ${unit.toUpperCase()} FROM (${due}))
    AND cell IN (${due})
  GROUP BY cell, ${keys.join(', ')}
)
UNION ALL
SELECT ${columns
    .map((column, place) => {
      if (place === 0) return 'cell';
      if (column === 'made') return made;
      return `${empty[place - 1] ?? "''"} AS ${column}`;
    })
    .join(', ')}
FROM (${dueAfter(EMPTY_MINUTES)})`;
}
