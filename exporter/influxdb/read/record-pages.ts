import type { UsageRecord } from '../../../src/domain/usage-record.ts';
import {
  type CheckedRecordsQuery,
  type Dimension,
  writeCursor,
} from '../../ledger/queries/checked-query.ts';
import type { UsagePage } from '../../ledger/usage-query.ts';
import { BoundValues, conditions, isTellable, LEDGER, timeRange, untellable } from './influxql.ts';
import type { InfluxQueryClient } from './query-client.ts';
import { PointLayout } from './point-layout.ts';
import { recordOfPoint } from './stored-point.ts';
import { tagNamesOf } from './tag-names.ts';
import { newestFirst, type TimeRange, withinReach } from './time-ranges.ts';

/**
 * Records of one nanosecond that are put in the order of their ids. Two of one process never share
 * one, so more can only be made on purpose.
 */
const MAX_TIES = 16;

export async function recordPage(
  client: InfluxQueryClient,
  query: CheckedRecordsQuery,
  now: number,
  signal: AbortSignal | undefined,
): Promise<UsagePage> {
  if (query.filters.some(({ values }) => values.length === 0)) return { records: [] };
  const version = await client.version();
  const { fromMs, toMs } = withinReach(query, version, now);
  // A page that goes on has nothing to find after its cursor.
  const last = query.after === undefined ? toMs : Math.min(toMs, Date.parse(query.after[0]) + 1);
  const wanted = query.limit + 1 + MAX_TIES;
  const found: UsageRecord[] = [];
  for (const piece of newestFirst({ fromMs, toMs: last }, version, Math.min(now, last))) {
    if (found.length >= wanted) break;
    for await (const record of recordsOf(client, query, piece, wanted - found.length, signal)) {
      found.push(record);
      if (found.length >= wanted) break;
    }
  }
  const records = found.toSorted(newerFirst).slice(0, query.limit);
  const oldest = records.at(-1);
  return {
    records,
    ...(found.length > query.limit && oldest !== undefined && { cursor: writeCursor(oldest) }),
  };
}

async function* recordsOf(
  client: InfluxQueryClient,
  query: CheckedRecordsQuery,
  { fromMs, toMs }: TimeRange,
  count: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<UsageRecord> {
  const { filters, after } = query;
  const older = after === undefined ? '' : ` AND time <= '${after[0]}'`;
  const bound = new BoundValues();
  const where = timeRange(fromMs, toMs) + older + conditions(filters, bound);
  // What InfluxQL cannot ask for is picked below, so that no limit may cut it off.
  const limit = isTellable(filters) ? ` LIMIT ${count + MAX_TIES}` : '';
  const q = `SELECT *::field, *::tag FROM ${LEDGER} WHERE ${where} ORDER BY time DESC${limit}`;
  let layout: PointLayout | undefined;
  for await (const { columns, values } of client.query(q, { bound, signal })) {
    layout ??= new PointLayout(columns, await tagNamesOf(client, where, bound, signal));
    for (const row of values) {
      const record = recordOfPoint(layout.point(row));
      if (isAfter(record, after) && isWanted(record, query)) yield record;
    }
  }
}

function isAfter({ time, id }: UsageRecord, after: CheckedRecordsQuery['after']): boolean {
  if (after === undefined) return true;
  return time < after[0] || (time === after[0] && id < after[1]);
}

const VALUE_OF: Readonly<Partial<Record<Dimension, (record: UsageRecord) => string | undefined>>> =
  {
    conversation: ({ conversationId }) => conversationId,
    agent: ({ agentName }) => agentName,
    run: ({ runId }) => runId,
    tool: ({ toolName }) => toolName,
    error: ({ errorType }) => errorType,
  };

function isWanted(record: UsageRecord, { filters }: CheckedRecordsQuery): boolean {
  return untellable(filters).every(({ dimension, values }) => {
    const valueOf = VALUE_OF[dimension];
    return valueOf === undefined || values.includes(valueOf(record) ?? null);
  });
}

function newerFirst(a: UsageRecord, b: UsageRecord): number {
  if (a.time !== b.time) return a.time < b.time ? 1 : -1;
  return a.id < b.id ? 1 : -1;
}
