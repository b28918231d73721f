import type { DatabaseSync } from 'node:sqlite';

/** Those of version 9: another one is a column of a later version. */
const NAMES = [
  'web_searches',
  'preview_web_searches',
  'file_searches',
  'code_executions',
  'map_searches',
  'audio_input_seconds',
  'audio_output_seconds',
  'input_characters',
  'generated_images',
  'rerank_searches',
  'pages',
  'annotated_pages',
];
const SUM_TABLES = ['usage_hour', 'usage_day'];

/** Sums of units by hour and day. */
export const UNIT_SUMS: string = NAMES.map((name) => `${name} REAL`).join(', ');

/** The units that calls of the file have, or had. */
export const UNITS = 'CREATE TABLE IF NOT EXISTS usage_unit (name TEXT PRIMARY KEY) WITHOUT ROWID;';

const DAY_NS = 86_400_000_000_000n;
const HOUR_NS = 3_600_000_000_000n;
const KEY = ['service', 'provider', 'model', 'outcome', 'team', 'dimensions'];

const fill = (table: string, unit: string, ns: bigint): string => `
UPDATE ${table} SET ${NAMES.map((name) => `${name} = sums.${name}`).join(', ')}
FROM (
  SELECT time_ns / ${ns} AS number, service, provider, model, outcome,
    ifnull(team, '') AS team, ifnull(dimensions, '') AS dimensions,
    ${NAMES.map((name) => `sum(units ->> '$.${name}') AS ${name}`).join(', ')}
  FROM usage WHERE units IS NOT NULL GROUP BY 1, 2, 3, 4, 5, 6, 7
) AS sums
WHERE ${table}.${unit} = sums.number AND ${KEY.map((key) => `${table}.${key} = sums.${key}`).join(' AND ')};`;

const UNITS_IN_ATTRIBUTES = `
  FROM json_each(usage.attributes)
  WHERE key IN (${NAMES.map((name) => `'token_meter.usage.${name}'`).join(', ')})
    AND type IN ('integer', 'real') AND value > 0 AND value <= ${Number.MAX_SAFE_INTEGER}`;

const TAKE = `
UPDATE usage SET units = (
  SELECT json_group_object(substr(key, ${'token_meter.usage.'.length + 1}), value) ${UNITS_IN_ATTRIBUTES}
) WHERE units IS NULL AND instr(attributes, 'token_meter.usage.') > 0 AND json_valid(attributes)
  AND EXISTS (SELECT 1 ${UNITS_IN_ATTRIBUTES})`;
const NOTE_TAKEN = `
INSERT OR IGNORE INTO usage_unit SELECT DISTINCT key FROM usage, json_each(usage.units) WHERE units IS NOT NULL`;

/**
 * Takes the units of calls out of their attributes where a process of an earlier release wrote them, which may go on
 * beside this one. Says whether there were any: then the sums of the range lack them.
 */
export function takeUnits(database: DatabaseSync, fromNs: bigint, toNs: bigint): boolean {
  const range = 'AND time_ns >= ? AND time_ns < ?';
  const { changes } = database.prepare(`${TAKE} ${range}`).run(fromNs, toNs);
  if (changes === 0) return false;
  database.prepare(`${NOTE_TAKEN} ${range}`).run(fromNs, toNs);
  return true;
}

/**
 * The step to version 9: units of earlier calls are taken out of their attributes, and hours and days that have some
 * are summed up.
 */
export const WITH_UNITS: string = `
ALTER TABLE usage ADD COLUMN units TEXT;
${UNITS}
${SUM_TABLES.flatMap((table) => NAMES.map((name) => `ALTER TABLE ${table} ADD COLUMN ${name} REAL;`)).join('\n')}
${TAKE};
${NOTE_TAKEN};
${fill('usage_hour', 'hour', HOUR_NS)}
${fill('usage_day', 'day', DAY_NS)}
DELETE FROM usage_summed_day WHERE day IN
  (SELECT DISTINCT time_ns / ${DAY_NS} FROM usage WHERE units IS NOT NULL);`;
