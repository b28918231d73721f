import type { ClickHouseSession } from './clickhouse-session.ts';
import { quoted } from './schema/layout.ts';

/** How `ALTER TABLE` names the tables that hold the rows of `name`, on every server that has some. */
export async function localTable(session: ClickHouseSession, name: string): Promise<string> {
  const [row] = await session.rows({
    text: 'SELECT engine_full FROM system.tables WHERE database = currentDatabase() AND name = {name:String}',
    values: { name },
  });
  const engine = row?.['engine_full'];
  const [, cluster, database, table] =
    /^Distributed\('((?:[^'\\]|\\.)*)', '((?:[^'\\]|\\.)*)', '((?:[^'\\]|\\.)*)'/.exec(
      typeof engine === 'string' ? engine : '',
    ) ?? [];
  if (cluster === undefined || database === undefined || table === undefined) return quoted(name);
  return `${quoted(database)}.${quoted(table)} ON CLUSTER ${quoted(cluster)}`;
}
