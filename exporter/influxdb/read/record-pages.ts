import type { UsageRecord } from '../../../src/domain/usage-record.ts';
import {
  type CheckedRecordsQuery,
  type Dimension,
  writeCursor,
} from '../../ledger/queries/checked-query.ts';
import type { UsagePage } from '../../ledger/usage-query.ts';
import {
  BoundValues,
  conditions,
  isTellable,
  LEDGER,
  name,
  timeRange,
  untellable,
} from './influxql.ts';
import { USAGE_FIELDS, USER_TAG } from '../usage-schema.ts';
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
    const few = { count: wanted - found.length, hasSeries: version !== '3' };
    for await (const record of recordsOf(client, query, piece, few, signal)) {
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
  { count, hasSeries }: { readonly count: number; readonly hasSeries: boolean },
  signal: AbortSignal | undefined,
): AsyncGenerator<UsageRecord> {
  const { filters, after } = query;
  const older = after === undefined ? '' : ` AND time <= '${after[0]}'`;
  const bound = new BoundValues();
  let where = timeRange(fromMs, toMs) + older + conditions(filters, bound);
  // What InfluxQL cannot ask for is picked below, so that no limit may cut it off.
  const limit = isTellable(filters) ? ` LIMIT ${count + MAX_TIES}` : '';
  if (hasSeries && limit !== '') {
    const newest = await newestSeries(client, where + ` ORDER BY time DESC${limit}`, bound, signal);
    if (newest === undefined) return;
    where += newest;
  }
  // A point without calls is a cost that was written beside an erasure.
  const isCall = `${name(USAGE_FIELDS.calls)} > 0`;
  const q = `SELECT *::field, *::tag FROM ${LEDGER} WHERE ${where} AND ${isCall} ORDER BY time DESC${limit}`;
  let layout: PointLayout | undefined;
  for await (const { columns, values } of client.query(q, { bound, signal })) {
    layout ??= new PointLayout(columns, await tagNamesOf(client, where, bound, signal));
    for (const row of values) {
      const record = recordOfPoint(layout.point(row));
      if (isAfter(record, after) && isWanted(record, query)) yield record;
    }
  }
}

/**
 * Condition that leaves the series of the newest calls; undefined where there are none. A query opens every field of
 * every series of a shard, and there is one for each user and model: which are wanted is found by one field.
 */
async function newestSeries(
  client: InfluxQueryClient,
  where: string,
  bound: BoundValues,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const [calls, user] = [name(USAGE_FIELDS.calls), name(USER_TAG)];
  const users = new Set<string>();
  let [newest, oldest] = ['', ''];
  const q = `SELECT ${calls}, ${user} FROM ${LEDGER} WHERE ${where}`;
  for await (const { columns, values } of client.query(q, { bound, signal })) {
    const [timeAt, userAt] = [columns.indexOf('time'), columns.indexOf(USER_TAG)];
    for (const row of values) {
      oldest = String(row[timeAt]);
      newest ||= oldest;
      users.add(String(row[userAt] ?? ''));
    }
  }
  if (newest === '') return undefined;
  const series = [...users].map((each) => `${user} = ${bound.bind(each)}`).join(' OR ');
  return ` AND time >= '${oldest}' AND time <= '${newest}' AND (${series})`;
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
