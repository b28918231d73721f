import { type ClickHouseAccess, READ_TIMEOUT_MS, resolveAccess } from './clickhouse-options.ts';
import { ClickHouseSession } from './clickhouse-session.ts';
import { LEDGER } from './schema/columns.ts';
import { CELLS, ROLL_UPS } from './schema/roll-ups.ts';

/** What the server says about itself and the ledger. */
export interface ClickHouseLedgerFacts {
  /** Of the server. */
  readonly version: string;
  /** Stored rows: a call that came twice counts twice until the server merges. */
  readonly calls: number;
  /** On the disks of the server that answered. */
  readonly bytes: number;
  /** The same of the sums; 0 without roll-ups. */
  readonly rollUpBytes: number;
  /** Absent: calls are kept for ever. */
  readonly retentionDays?: number;
}

/** Rejects with `INVALID_OPTION`, `BACKEND_REFUSED`, `BACKEND_UNREACHABLE` or `MISSING_DEPENDENCY`. */
export async function clickHouseLedger(options: ClickHouseAccess): Promise<ClickHouseLedgerFacts> {
  const session = new ClickHouseSession(
    resolveAccess('clickHouseLedger', options, READ_TIMEOUT_MS),
  );
  try {
    const [counted] = await session.rows({
      text: `SELECT version() AS version, count() AS calls FROM ${LEDGER}`,
    });
    const [stored] = await session.rows({
      text: `SELECT sum(total_bytes) AS bytes, max(engine_full) AS engine FROM system.tables
        WHERE database = currentDatabase() AND name IN ('${LEDGER}', '${LEDGER}_local')`,
    });
    const [sums] = await session.rows({
      text: `SELECT sum(total_bytes) AS bytes FROM system.tables WHERE database = currentDatabase()
        AND replaceRegexpOne(name, '_local$', '') IN {tables:Array(String)}`,
      values: { tables: [CELLS, ...ROLL_UPS.map(({ table }) => table)] },
    });
    const days = /toIntervalDay\((\d+)\)/.exec(String(stored?.['engine']))?.[1];
    return {
      version: String(counted?.['version']),
      calls: Number(counted?.['calls']),
      bytes: Number(stored?.['bytes']),
      rollUpBytes: Number(sums?.['bytes'] ?? 0),
      ...(days !== undefined && { retentionDays: Number(days) }),
    };
  } finally {
    await session.close();
  }
}
