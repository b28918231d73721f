import { createHash } from 'node:crypto';
import { TokenMeterError } from '../../../src/errors.ts';
import { type ClickHouseAccess, READ_TIMEOUT_MS, resolveAccess } from '../clickhouse-options.ts';
import { ClickHouseSession } from '../clickhouse-session.ts';
import { UNIT_SUMS } from './call-sums.ts';
import { COLUMNS, definitionOf, LEDGER } from './columns.ts';
import { keptSince, keptTables } from './kept-calls.ts';
import { type ClickHouseLayout, Names } from './layout.ts';
import { type Engines, setRetention } from './retention.ts';
import { CELLS, ROLL_UPS } from './roll-ups.ts';
import {
  changesQuery,
  markViews,
  ROLL_UP_SETTINGS,
  rollUpViews,
  tableStatements,
  type ViewDefinition,
} from './statements.ts';

export interface ClickHouseSetUpOptions
  extends ClickHouseAccess, Omit<ClickHouseLayout, 'database'> {
  /** Only reports the statements. @default false */
  readonly dryRun?: boolean;
  /** Called with each statement, before it runs. */
  readonly onStatement?: (sql: string) => void;
}

/**
 * Makes tables and views of the ledger, and brings those of an earlier release up to date; may be run again. Rejects
 * with `INVALID_OPTION`, `BACKEND_REFUSED`, `BACKEND_UNREACHABLE` or `MISSING_DEPENDENCY`. A dry run asks the server
 * what is there, and shows all statements where it does not answer.
 */
export async function setUpClickHouse(options: ClickHouseSetUpOptions): Promise<void> {
  const { dryRun = false, onStatement = () => {} } = options;
  const access = resolveAccess('setUpClickHouse', options, READ_TIMEOUT_MS);
  if (options.distributed === true && options.cluster === undefined) {
    throw new TokenMeterError('INVALID_OPTION', 'setUpClickHouse: distributed needs a cluster', {
      value: options.cluster,
      allowed: 'the name of a cluster of the server',
    });
  }
  const layout = { ...options, database: access.database };
  // The database of the session may not exist yet.
  const session = new ClickHouseSession({ ...access, database: 'system' });
  const run = async (sql: string): Promise<void> => {
    onStatement(sql);
    if (!dryRun) await session.command({ text: sql });
  };
  try {
    const names = new Names(layout);
    const existing = await existingTables(session, access.database, dryRun);
    for (const statement of tableStatements(layout)) await run(statement);
    const engines = await enginesOf(session, layout.database, existing);
    const added = await addedColumns(session, layout, existing);
    for (const statement of [...added, ...mergeSettings(layout, engines)]) await run(statement);
    for (const view of [...markViews(layout), ...rollUpViews(layout)]) {
      await ensureView(run, layout, view, existing);
    }
    const mark = async (condition?: string): Promise<void> => {
      await run(`INSERT INTO ${names.local(CELLS)} (roll_up, shard, cell, changed, made)
${changesQuery(layout, condition)}`);
    };
    // Calls from before the views are in no mark yet.
    if (existing.has(LEDGER) && !existing.has('llm_usage_changes')) await mark();
    // Sums from before the units have none, and get none where calls are gone.
    else if (added.some((statement) => statement.includes(` ${UNIT_SUMS.name} `))) {
      await mark(`notEmpty(units) AND time >= ${keptSince(keptTables(names))}`);
    }
    await setRetention(session, layout, engines, run, dryRun);
  } finally {
    await session.close();
  }
}

/** Name and comment of each table of the database. */
async function existingTables(
  session: ClickHouseSession,
  database: string,
  dryRun: boolean,
): Promise<ReadonlyMap<string, string>> {
  const text = 'SELECT name, comment FROM system.tables WHERE database = {database:String}';
  try {
    const rows = await session.rows({ text, values: { database } });
    return new Map(rows.map((row) => [String(row['name']), String(row['comment'])]));
  } catch (error) {
    if (dryRun) return new Map();
    throw error;
  }
}

/** Columns that an earlier release did not have. */
async function addedColumns(
  session: ClickHouseSession,
  layout: ClickHouseLayout,
  existing: ReadonlyMap<string, string>,
): Promise<readonly string[]> {
  const names = new Names(layout);
  if (!existing.has(names.isDistributed ? `${LEDGER}_local` : LEDGER)) return [];
  const tables = [
    { base: LEDGER, columns: COLUMNS },
    ...ROLL_UPS.map(({ table }) => ({ base: table, columns: [UNIT_SUMS] })),
  ].flatMap(({ base, columns }) =>
    (names.isDistributed ? [`${base}_local`, base] : [base])
      .filter((table) => existing.has(table))
      .map((table) => ({ table, columns, isLocal: names.isDistributed === (table !== base) })),
  );
  const rows = await session.rows({
    text: `SELECT table, name FROM system.columns
      WHERE database = {database:String} AND table IN {tables:Array(String)}`,
    values: { database: layout.database, tables: tables.map(({ table }) => table) },
  });
  const known = new Set(rows.map((row) => `${String(row['table'])}.${String(row['name'])}`));
  return tables.flatMap(({ table, columns, isLocal }) =>
    columns
      .filter(({ name }) => !known.has(`${table}.${name}`))
      .map(
        (column) =>
          `ALTER TABLE ${names.table(table)}${names.onCluster} ADD COLUMN IF NOT EXISTS ${
            isLocal ? definitionOf(column) : definitionOf({ ...column, codec: undefined })
          }`,
      ),
  );
}

/** Of roll-ups from before these settings. */
function mergeSettings(layout: ClickHouseLayout, engines: Engines): readonly string[] {
  const names = new Names(layout);
  return ROLL_UPS.filter(({ table }) => {
    const engine = engines.get(names.isDistributed ? `${table}_local` : table);
    return engine?.includes('min_age_to_force_merge') === false;
  }).map(
    ({ table }) =>
      `ALTER TABLE ${names.local(table)}${names.onCluster} MODIFY SETTING ${ROLL_UP_SETTINGS}`,
  );
}

/** Engine of each table that was there, with its clauses and settings. */
async function enginesOf(
  session: ClickHouseSession,
  database: string,
  existing: ReadonlyMap<string, string>,
): Promise<Engines> {
  if (existing.size === 0) return new Map();
  const text = 'SELECT name, engine_full FROM system.tables WHERE database = {database:String}';
  const rows = await session.rows({ text, values: { database } });
  return new Map(
    rows
      .map((row) => [String(row['name']), String(row['engine_full'])] as const)
      .filter(([name]) => existing.has(name)),
  );
}

/** A view of another release is changed without a moment in which an insert would not see it. */
async function ensureView(
  run: (sql: string) => Promise<void>,
  layout: ClickHouseLayout,
  { name, clauses, query }: ViewDefinition,
  existing: ReadonlyMap<string, string>,
): Promise<void> {
  const { onCluster } = new Names(layout);
  const version = createHash('sha256').update(`${clauses}\n${query}`).digest('hex').slice(0, 12);
  const comment = `otel-token-meter ${version}`;
  const known = existing.get(name.slice(name.lastIndexOf('.') + 1));
  if (known === comment) return;
  if (known === undefined) {
    await run(
      `CREATE MATERIALIZED VIEW IF NOT EXISTS ${name}${onCluster} ${clauses} AS\n${query}\nCOMMENT '${comment}'`,
    );
    return;
  }
  await run(`ALTER TABLE ${name}${onCluster} MODIFY QUERY ${query}`);
  await run(`ALTER TABLE ${name}${onCluster} MODIFY COMMENT '${comment}'`);
}
