import type { UsageRecord } from '../../../src/domain/usage-record.ts';
import {
  type CostChange,
  type RepriceOptions,
  type RepriceResult,
  RepriceTally,
} from '../../ledger/reprice-tally.ts';
import { type ClickHouseAccess, READ_TIMEOUT_MS, resolveAccess } from '../clickhouse-options.ts';
import { ClickHouseSession, type Row } from '../clickhouse-session.ts';
import { BoundValues } from '../read/bound-values.ts';
import { changeableSince } from '../changeable-calls.ts';
import { whileRepricing } from '../ledger-turns.ts';
import { CALLS } from '../read/ledger-sql.ts';
import { COLUMNS, LEDGER } from '../schema/columns.ts';
import { RECORD_COLUMNS, recordOf } from '../stored-row.ts';
import { ROW_SETTINGS } from '../write/row-inserts.ts';

export interface ClickHouseRepriceOptions extends RepriceOptions, ClickHouseAccess {}

const BATCH = 5000;
/** Columns of which the new row takes over what it does not change. */
const KEPT = COLUMNS.filter(({ madeFrom }) => madeFrom === undefined)
  .map(({ name }) => name)
  .filter(
    (name) =>
      !['time', 'record_id', 'cost_nanos', 'cost_source', 'cost_missing', 'revision'].includes(
        name,
      ),
  );

/**
 * Recomputes the cost of recorded calls, each by the price of its time. A call whose cost changes gets a second row
 * of a higher revision, which replaces the first for every question at once; its hour and day are made again. Rejects
 * with `BACKEND_REFUSED` or `BACKEND_UNREACHABLE`; what was done before an abort stays done.
 */
export async function repriceClickHouseLedger(
  options: ClickHouseRepriceOptions,
): Promise<RepriceResult> {
  const { from, to, signal, onProgress, dryRun = false } = options;
  const access = resolveAccess('repriceClickHouseLedger', options, READ_TIMEOUT_MS);
  const session = new ClickHouseSession(access);
  const tally = new RepriceTally(options.costOf);
  const repriceAll = async (nextTurn?: () => Promise<void>): Promise<RepriceResult> => {
    let last: UsageRecord | undefined;
    // Sums that outlive their calls stay as they are, and calls that are about to go with them.
    const keptFrom = await changeableSince(session, signal);
    const first = from === undefined || from < keptFrom ? keptFrom : from;
    for (;;) {
      await nextTurn?.();
      const batch = await nextBatch(session, last, first, to, signal);
      last = batch.at(-1)?.record;
      if (last === undefined) return tally.result();
      const rows = batch.flatMap(({ record, row }) => {
        const change = tally.add(record);
        return change === undefined ? [] : [repricedRow(row, change)];
      });
      if (rows.length > 0 && nextTurn !== undefined) {
        await session.insert(LEDGER, rows, {
          signal,
          settings: { ...ROW_SETTINGS, async_insert: 0 },
        });
      }
      onProgress?.(tally.result());
    }
  };
  try {
    if (dryRun) return await repriceAll();
    return await whileRepricing(session, access.timeoutMs, repriceAll, signal);
  } finally {
    await session.close();
  }
}

interface StoredCall {
  readonly record: UsageRecord;
  readonly row: Row;
}

/** Oldest first. */
async function nextBatch(
  session: ClickHouseSession,
  last: UsageRecord | undefined,
  from: Date,
  to: Date | undefined,
  signal: AbortSignal | undefined,
): Promise<readonly StoredCall[]> {
  const bound = new BoundValues();
  const where = [
    ...(from.getTime() === 0 ? [] : [`time >= ${bound.instant(from.getTime())}`]),
    ...(to === undefined ? [] : [`time < ${bound.instant(to.getTime())}`]),
    ...(last === undefined
      ? []
      : [`(time, record_id) > (${bound.moment(last.time)}, ${bound.text(last.id)})`]),
  ];
  const rows = await session.rows(
    {
      text: `SELECT ${RECORD_COLUMNS}, environment, revision FROM ${CALLS}
        ${where.length === 0 ? '' : `WHERE ${where.join(' AND ')}`}
        ORDER BY time, record_id LIMIT ${BATCH}`,
      values: bound.values,
    },
    { signal },
  );
  return rows.map((row) => ({ record: recordOf(row), row }));
}

function repricedRow(row: Row, { now, source, missing }: CostChange): Row {
  return {
    ...Object.fromEntries(KEPT.map((name) => [name, row[name]])),
    time: row['at'],
    record_id: row['record_id'],
    cost_nanos: now,
    cost_source: source,
    cost_missing: missing.join(' '),
    // Higher than the one it replaces also where clocks differ.
    revision: Math.max(Date.now(), Number(row['revision']) + 1),
  };
}
