import type { DatabaseSync } from 'node:sqlite';
import { UNIT_SUMS, UNITS, WITH_UNITS } from './unit-columns.ts';

/** Marks the file as ours (`PRAGMA application_id`): "TKMT". */
const APPLICATION_ID = 0x54_4b_4d_54;
const SCHEMA_VERSION = 12;

/** Sums of the calls of one UTC hour or day; what they are is in `roll-up.ts`. A key cannot be null: '' stands for none. */
const rollUpTable = (table: string, unit: string): string => `
CREATE TABLE IF NOT EXISTS ${table} (
  ${unit} INTEGER NOT NULL, service TEXT NOT NULL, provider TEXT NOT NULL, model TEXT NOT NULL,
  outcome TEXT NOT NULL, team TEXT NOT NULL, dimensions TEXT NOT NULL,
  calls INTEGER NOT NULL, counted_calls INTEGER NOT NULL, estimated_calls INTEGER NOT NULL,
  unpriced_calls INTEGER NOT NULL, partial_cost_calls INTEGER NOT NULL DEFAULT 0,
  input_tokens INTEGER, output_tokens INTEGER, total_tokens INTEGER,
  cache_read_tokens INTEGER, cache_write_tokens INTEGER, reasoning_tokens INTEGER,
  cost_nanos INTEGER,
  duration_ms REAL NOT NULL, output_duration_ms REAL NOT NULL,
  first_chunk_ms REAL NOT NULL, first_chunk_calls INTEGER NOT NULL,
  ${UNIT_SUMS},
  PRIMARY KEY (${unit}, service, provider, model, outcome, team, dimensions)
) WITHOUT ROWID;`;

/** Sums of whole days that are over; what they are is in `summed-days.ts`. */
const SUMMED_DAYS = `
CREATE TABLE IF NOT EXISTS usage_summed_day (day INTEGER PRIMARY KEY);
CREATE TABLE IF NOT EXISTS usage_day_bins (
  day INTEGER NOT NULL, kind TEXT NOT NULL, service TEXT NOT NULL, provider TEXT NOT NULL,
  model TEXT NOT NULL, outcome TEXT NOT NULL, team TEXT NOT NULL, dimensions TEXT NOT NULL,
  bins TEXT NOT NULL,
  PRIMARY KEY (day, kind, service, provider, model, outcome, team, dimensions)
) WITHOUT ROWID;`;

/** The sums of a day by user and by conversation, as `day-block.ts` has them: one value each. */
const DAY_BLOCKS = `
CREATE TABLE IF NOT EXISTS usage_day_block (
  day INTEGER NOT NULL, kind TEXT NOT NULL, block BLOB NOT NULL, PRIMARY KEY (day, kind)
);`;

/** What retention has left; what it is is in `kept-from.ts`. */
const KEPT_FROM = `
CREATE TABLE IF NOT EXISTS usage_kept_from (what TEXT PRIMARY KEY, hour INTEGER NOT NULL) WITHOUT ROWID;`;

/** Erasures, by a digest of the user: calls until then that still wait somewhere are not written any more. */
const ERASED = `
CREATE TABLE IF NOT EXISTS usage_erased (user TEXT PRIMARY KEY, until_ms INTEGER NOT NULL);`;

/** One row: how often rows with names of users were deleted, and how many of these times a rewrite of the file has followed. */
const DELETIONS = `
CREATE TABLE IF NOT EXISTS usage_deletions (
  place INTEGER PRIMARY KEY, deletions INTEGER NOT NULL, rewritten INTEGER NOT NULL
);`;

/**
 * The step to version 12. Sums have outlived their calls where retention has removed more calls than sums, and in days
 * before its border that have sums and no call. What it deleted before may still be in the file.
 */
const WITH_DELETIONS = `
${DELETIONS}
INSERT INTO usage_deletions VALUES (1, 1, 0);
DELETE FROM usage_erased WHERE user = 'rewrite due';
INSERT INTO usage_kept_from
  SELECT 'outlived', hour / 24 * 24 FROM (
    SELECT calls.hour AS hour, ifnull(sums.hour, 0) AS sums_hour
    FROM usage_kept_from AS calls LEFT JOIN usage_kept_from AS sums ON sums.what = 'sums'
    WHERE calls.what = 'calls'
  ) WHERE sums_hour < hour
    OR EXISTS (SELECT 1 FROM usage_summed_day WHERE day < hour / 24 AND NOT EXISTS (
      SELECT 1 FROM usage WHERE time_ns >= day * 86400000000000 AND time_ns < (day + 1) * 86400000000000));`;

/** How often the calls of an hour were added to, changed or removed. */
const REVISIONS = `
CREATE TABLE IF NOT EXISTS usage_hour_revision (hour INTEGER PRIMARY KEY, revision INTEGER NOT NULL);`;

const BY_TEAM =
  'CREATE INDEX IF NOT EXISTS usage_by_team ON usage (team, time_ns) WHERE team IS NOT NULL;';

const BY_RUN =
  'CREATE INDEX IF NOT EXISTS usage_by_run ON usage (run_id, time_ns) WHERE run_id IS NOT NULL;';

/**
 * `usage` is clustered by time: the newest records and any range are one walk, and a resend, whose
 * time and id were fixed when the record was made, meets its own key.
 */
const TABLES = `
CREATE TABLE IF NOT EXISTS usage (
  time_ns INTEGER NOT NULL, id TEXT NOT NULL,
  service TEXT NOT NULL, operation TEXT NOT NULL, provider TEXT NOT NULL,
  model TEXT NOT NULL, response_model TEXT, response_id TEXT,
  user TEXT, conversation TEXT, team TEXT, dimensions TEXT, agent_name TEXT, run_id TEXT,
  tool_name TEXT, steps TEXT,
  duration_ms REAL NOT NULL, time_to_first_chunk_ms REAL,
  input_tokens INTEGER, output_tokens INTEGER, total_tokens INTEGER,
  cache_read_tokens INTEGER, cache_write_tokens INTEGER, reasoning_tokens INTEGER,
  token_source TEXT, outcome TEXT NOT NULL, error_type TEXT, cost_nanos INTEGER,
  cost_source TEXT, cost_missing TEXT, service_tier TEXT,
  attributes TEXT, units TEXT, trace_id TEXT, span_id TEXT,
  PRIMARY KEY (time_ns, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS usage_by_conversation ON usage (conversation, time_ns)
  WHERE conversation IS NOT NULL;
CREATE INDEX IF NOT EXISTS usage_by_user ON usage (user, time_ns) WHERE user IS NOT NULL;
${BY_TEAM}
${BY_RUN}
${rollUpTable('usage_hour', 'hour')}
${rollUpTable('usage_day', 'day')}
${SUMMED_DAYS}
${DAY_BLOCKS}
${KEPT_FROM}
${ERASED}
${DELETIONS}
${REVISIONS}
${UNITS}
`;

/** Version 4 of a roll-up: a table with another key can only be made again. */
const withTeams = (table: string, unit: string): string => {
  const key = `${unit}, service, provider, model, outcome`;
  const sums =
    'calls, counted_calls, estimated_calls, unpriced_calls, partial_cost_calls, input_tokens, ' +
    'output_tokens, total_tokens, cache_read_tokens, cache_write_tokens, reasoning_tokens, ' +
    'cost_nanos, duration_ms, output_duration_ms, first_chunk_ms, first_chunk_calls';
  return `
    ALTER TABLE ${table} RENAME TO ${table}_3;
    CREATE TABLE ${table} (
      ${unit} INTEGER NOT NULL, service TEXT NOT NULL, provider TEXT NOT NULL, model TEXT NOT NULL,
      outcome TEXT NOT NULL, team TEXT NOT NULL, dimensions TEXT NOT NULL,
      calls INTEGER NOT NULL, counted_calls INTEGER NOT NULL, estimated_calls INTEGER NOT NULL,
      unpriced_calls INTEGER NOT NULL, partial_cost_calls INTEGER NOT NULL DEFAULT 0,
      input_tokens INTEGER, output_tokens INTEGER, total_tokens INTEGER,
      cache_read_tokens INTEGER, cache_write_tokens INTEGER, reasoning_tokens INTEGER,
      cost_nanos INTEGER,
      duration_ms REAL NOT NULL, output_duration_ms REAL NOT NULL,
      first_chunk_ms REAL NOT NULL, first_chunk_calls INTEGER NOT NULL,
      PRIMARY KEY (${key}, team, dimensions)
    ) WITHOUT ROWID;
    INSERT INTO ${table} (${key}, team, dimensions, ${sums})
      SELECT ${key}, '', '', ${sums} FROM ${table}_3;
    DROP TABLE ${table}_3;`;
};

/** From the version of the key to the next one: nothing that is stored is lost. */
const MIGRATIONS: ReadonlyMap<number, string> = new Map([
  [
    2,
    `ALTER TABLE usage ADD COLUMN cost_source TEXT;
     ALTER TABLE usage ADD COLUMN cost_missing TEXT;
     ALTER TABLE usage ADD COLUMN service_tier TEXT;
     ALTER TABLE usage_hour ADD COLUMN partial_cost_calls INTEGER NOT NULL DEFAULT 0;
     ALTER TABLE usage_day ADD COLUMN partial_cost_calls INTEGER NOT NULL DEFAULT 0;`,
  ],
  [
    3,
    `ALTER TABLE usage ADD COLUMN team TEXT;
     ALTER TABLE usage ADD COLUMN dimensions TEXT;
     ALTER TABLE usage ADD COLUMN agent_name TEXT;
     ALTER TABLE usage ADD COLUMN run_id TEXT;
     ${BY_TEAM}
     ${withTeams('usage_hour', 'hour')}
     ${withTeams('usage_day', 'day')}`,
  ],
  [4, SUMMED_DAYS],
  [5, REVISIONS],
  [
    6,
    `ALTER TABLE usage ADD COLUMN tool_name TEXT;
     ALTER TABLE usage ADD COLUMN steps TEXT;
     ${BY_RUN}`,
  ],
  [
    7,
    `DROP TABLE IF EXISTS usage_day_user;
     DROP TABLE IF EXISTS usage_day_conversation;
     DELETE FROM usage_summed_day;
     ${DAY_BLOCKS}`,
  ],
  [8, WITH_UNITS],
  [9, KEPT_FROM],
  [10, ERASED],
  [11, WITH_DELETIONS],
]);

/** What a person can do about a file of another release. */
function otherVersion(version: unknown): Error {
  const isOlder = typeof version === 'number' && version < SCHEMA_VERSION;
  if (isOlder && MIGRATIONS.has(version)) {
    return new Error(
      `an earlier release wrote the file (ledger version ${version}, this one has ${SCHEMA_VERSION}): ` +
        'it is brought up to date when the application of this release writes to it',
    );
  }
  return new Error(
    isOlder
      ? `an earlier release wrote the file (ledger version ${version}, this one has ${SCHEMA_VERSION}) ` +
          'and its records cannot be taken over: move the file away, or name another one, and a new ledger begins'
      : `a newer release wrote the file (ledger version ${String(version)}, this one has ${SCHEMA_VERSION}): ` +
          'update otel-token-meter, or name another file',
  );
}

/**
 * Creates or checks the tables. Throws when the file belongs to another program or to another
 * release: neither may be touched.
 */
export function prepareSchema(database: DatabaseSync): void {
  const { owner, version, tables } = describe(database);
  if (owner === APPLICATION_ID && version === SCHEMA_VERSION) return;
  if (owner === APPLICATION_ID && typeof version === 'number' && MIGRATIONS.has(version)) {
    migrate(database);
    return;
  }
  if (owner === APPLICATION_ID && version !== 0) throw otherVersion(version);
  if (owner !== APPLICATION_ID && tables !== 0) {
    throw new Error('the file is a database of another program');
  }
  // In force only before the first table exists: lets retention give space back to the disk.
  database.exec('PRAGMA auto_vacuum = INCREMENTAL');
  database.exec('PRAGMA journal_mode = WAL');
  database.exec('BEGIN IMMEDIATE');
  try {
    database.exec(TABLES);
    database.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
    database.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

/** Another process may be doing the same: the version is read again inside the transaction. */
function migrate(database: DatabaseSync): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    for (;;) {
      const version = Number(database.prepare('PRAGMA user_version').get()?.['user_version']);
      const step = MIGRATIONS.get(version);
      if (step === undefined) break;
      database.exec(step);
      database.exec(`PRAGMA user_version = ${version + 1}`);
    }
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

/** Throws when the file is no ledger, or that of another release. */
export function checkLedger(database: DatabaseSync): void {
  const { owner, version } = describe(database);
  if (owner !== APPLICATION_ID) throw new Error('it is no usage ledger');
  if (version !== SCHEMA_VERSION) throw otherVersion(version);
}

/** One moment of the file: between two reads another process may make the tables. */
function describe(database: DatabaseSync): { owner: unknown; version: unknown; tables: unknown } {
  const value = (sql: string): unknown => Object.values(database.prepare(sql).get() ?? {})[0];
  database.exec('BEGIN');
  try {
    return {
      owner: value('PRAGMA application_id'),
      version: value('PRAGMA user_version'),
      tables: value('SELECT count(*) FROM sqlite_schema'),
    };
  } finally {
    database.exec('COMMIT');
  }
}
