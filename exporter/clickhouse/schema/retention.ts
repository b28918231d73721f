import type { ClickHouseSession } from '../clickhouse-session.ts';
import { LEDGER } from './columns.ts';
import { keptQuery, keptTables } from './kept-calls.ts';
import { type ClickHouseLayout, Names } from './layout.ts';
import { goingCellsQuery, sumUpStatement } from './roll-up-query.ts';
import { CELLS, ROLL_UPS } from './roll-ups.ts';
import { ttlOf } from './statements.ts';

/** Engine of each table, with its clauses and settings. */
export type Engines = ReadonlyMap<string, string>;

/** Cells of one statement, which may be no longer than `max_query_size`. */
const CELLS_AT_ONCE = 200;

/**
 * Sets another retention of a ledger. What changed in the days whose calls go with it is summed up before: by itself
 * the server waits until calls have rested.
 */
export async function setRetention(
  session: ClickHouseSession,
  layout: ClickHouseLayout,
  engines: Engines,
  run: (sql: string) => Promise<void>,
  isDryRun: boolean,
): Promise<void> {
  const names = new Names(layout);
  const { retentionDays } = layout;
  const engine = engines.get(names.isDistributed ? `${LEDGER}_local` : LEDGER);
  if (retentionDays === undefined || engine === undefined) return;
  // A removal of what is not there is an error.
  if (retentionDays === 0 && !/ TTL /.test(engine)) return;
  if (engine.includes(`toIntervalDay(${retentionDays})`)) return;
  // What is gone by the old one does not come back.
  await run(`INSERT INTO ${names.table(CELLS)} (roll_up, shard, cell, changed, made)
${keptQuery(keptTables(names))}`);
  // A dry run has made no tables.
  if (retentionDays > 0 && (engines.has(CELLS) || !isDryRun)) {
    for (const rollUp of ROLL_UPS) {
      const rows = await session.rows({ text: goingCellsQuery(layout, rollUp, retentionDays) });
      const seconds = rows.map((row) => Number(row['second']));
      for (let i = 0; i < seconds.length; i += CELLS_AT_ONCE) {
        await run(sumUpStatement(layout, rollUp, seconds.slice(i, i + CELLS_AT_ONCE)));
      }
    }
  }
  const ttl = retentionDays === 0 ? 'REMOVE TTL' : `MODIFY TTL ${ttlOf(retentionDays)}`;
  await run(`ALTER TABLE ${names.local(LEDGER)}${names.onCluster} ${ttl}`);
}
