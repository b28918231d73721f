import { SUM_COLUMNS, sumType, UNIT_SUMS } from './call-sums.ts';
import { COLUMNS, definitionOf, LEDGER } from './columns.ts';
import { keptQuery, keptTables } from './kept-calls.ts';
import { type ClickHouseLayout, Names, quoted } from './layout.ts';
import { rollUpQuery } from './roll-up-query.ts';
import { CELLS, cellOf, REFRESH_MINUTES, ROLL_UPS, type RollUp, SKETCHES } from './roll-ups.ts';

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
