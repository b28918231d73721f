import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { UsageRecord } from '../../src/domain/usage-record.ts';
import { costNanos, type UsageSums } from '../ledger/queries/usage-sums.ts';
import { dimensionsJson, timeToNs } from './stored-record.ts';
import { doubtDay, forgetDay, forgetDaysBefore } from './day-tables.ts';
import { firstCallHour } from './kept-from.ts';

/** Sums kept beside the calls, so that long ranges need not walk over every call. */
export interface RollUp {
  readonly table: string;
  /** Column of the cell's number since 1970, in UTC. */
  readonly unit: string;
  readonly ns: bigint;
}

export const HOURS: RollUp = { table: 'usage_hour', unit: 'hour', ns: 3_600_000_000_000n };
export const DAYS: RollUp = { table: 'usage_day', unit: 'day', ns: 86_400_000_000_000n };

/** Columns that add up; null plus null stays null, because no sum of unknowns is 0. */
export const SUMS = [
  'calls',
  'counted_calls',
  'estimated_calls',
  'unpriced_calls',
  'partial_cost_calls',
  'input_tokens',
  'output_tokens',
  'total_tokens',
  'cache_read_tokens',
  'cache_write_tokens',
  'reasoning_tokens',
  'cost_nanos',
  'duration_ms',
  'output_duration_ms',
  'first_chunk_ms',
  'first_chunk_calls',
] as const;

const camel = (name: string): string =>
  name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

/** What sums of queries are called, in the order of `SUMS`. */
export const SUM_NAMES: readonly (keyof UsageSums)[] = SUMS.map(camel) as (keyof UsageSums)[];

/** The same sums of single calls, for ranges that no whole hour covers. */
export const CALL_SUMS: Readonly<Record<(typeof SUMS)[number], string>> = {
  calls: '1',
  counted_calls: 'token_source IS NOT NULL',
  estimated_calls: "token_source IS 'estimated'",
  unpriced_calls: 'token_source IS NOT NULL AND cost_nanos IS NULL',
  partial_cost_calls: 'cost_missing IS NOT NULL',
  input_tokens: 'input_tokens',
  output_tokens: 'output_tokens',
  total_tokens: 'total_tokens',
  cache_read_tokens: 'cache_read_tokens',
  cache_write_tokens: 'cache_write_tokens',
  reasoning_tokens: 'reasoning_tokens',
  cost_nanos: 'cost_nanos',
  duration_ms: 'duration_ms',
  output_duration_ms: 'iif(output_tokens IS NULL, 0.0, duration_ms)',
  first_chunk_ms: 'ifnull(time_to_first_chunk_ms, 0.0)',
  first_chunk_calls: 'time_to_first_chunk_ms IS NOT NULL',
};

type Cell = { readonly key: readonly SQLInputValue[]; readonly sums: (number | null)[] };

function sumsOf(record: UsageRecord): (number | null)[] {
  const counted = record.tokenSource !== undefined;
  return [
    1,
    Number(counted),
    Number(record.tokenSource === 'estimated'),
    Number(counted && record.costUsd === undefined),
    Number(record.costMissing !== undefined),
    record.inputTokens ?? null,
    record.outputTokens ?? null,
    record.totalTokens ?? null,
    record.cacheReadTokens ?? null,
    record.cacheWriteTokens ?? null,
    record.reasoningTokens ?? null,
    costNanos(record.costUsd),
    record.durationMs,
    record.outputTokens === undefined ? 0 : record.durationMs,
    record.timeToFirstChunkMs ?? 0,
    Number(record.timeToFirstChunkMs !== undefined),
  ];
}

const KEY = 'service, provider, model, outcome, team, dimensions';
const KEY_OF_CALLS =
  "service, provider, model, outcome, ifnull(team, '') AS team_key, ifnull(dimensions, '') AS dimensions_key";
/** The cell and its key, by their places in a SELECT. */
const GROUPS = '1, 2, 3, 4, 5, 6, 7';

const upsertInto = ({ table, unit }: RollUp): string => `
INSERT INTO ${table} (${unit}, ${KEY}, ${SUMS.join(', ')})
VALUES (?, ?, ?, ?, ?, ?, ?, ${SUMS.map(() => '?').join(', ')})
ON CONFLICT DO UPDATE SET ${SUMS.map(
  (name) =>
    `${name} = iif(excluded.${name} IS NULL, ${name}, ifnull(${name}, 0) + excluded.${name})`,
).join(', ')}`;

/** Adds records that were just inserted to their cells; call it inside their transaction. */
export function addToRollUps(database: DatabaseSync, records: readonly UsageRecord[]): void {
  for (const rollUp of [HOURS, DAYS]) addTo(database, rollUp, records);
  const hours = new Set(records.map(({ time }) => timeToNs(time) / HOURS.ns));
  const revise = database.prepare(`INSERT INTO usage_hour_revision VALUES (?, 1) ${REVISE}`);
  for (const hour of hours) revise.run(hour);
  for (const day of new Set([...hours].map((hour) => hour / 24n))) doubtDay(database, day);
}

/** Tells readers that sums of these calls are no longer right. A revision only ever grows. */
const REVISE = 'ON CONFLICT (hour) DO UPDATE SET revision = revision + 1';

/** The same for all hours of a range that have sums. */
export function reviseHours(database: DatabaseSync, fromHour: bigint, toHour: bigint): void {
  database
    .prepare(
      `INSERT INTO usage_hour_revision
       SELECT DISTINCT hour, 1 FROM usage_hour WHERE hour >= ? AND hour < ? ${REVISE}`,
    )
    .run(fromHour, toHour);
}

function addTo(database: DatabaseSync, rollUp: RollUp, records: readonly UsageRecord[]): void {
  const cells = new Map<string, Cell>();
  for (const record of records) {
    const { service, provider, requestModel, outcome, team = '' } = record;
    const unit = timeToNs(record.time) / rollUp.ns;
    const dimensions = dimensionsJson(record.dimensions) ?? '';
    const key = [unit, service, provider, requestModel, outcome, team, dimensions];
    const name = key.join('\u0000');
    const cell = cells.get(name);
    if (cell === undefined) {
      cells.set(name, { key, sums: sumsOf(record) });
      continue;
    }
    for (const [index, value] of sumsOf(record).entries()) {
      if (value !== null) cell.sums[index] = (cell.sums[index] ?? 0) + value;
    }
  }
  const upsert = database.prepare(upsertInto(rollUp));
  for (const { key, sums } of cells.values()) upsert.run(...key, ...sums);
}

/** Makes all cells that hold a moment of the range anew: hours from calls where there still are any, days from hours. */
export function rebuildRollUps(database: DatabaseSync, fromNs: bigint, toNs: bigint): void {
  const firstHour = firstCallHour(database);
  const [askedHour, toHour] = [fromNs / HOURS.ns, toNs / HOURS.ns + 1n];
  const fromHour = askedHour < firstHour ? firstHour : askedHour;
  if (fromHour >= toHour) return;
  // Hours that lose their last call, and below those that get their first.
  reviseHours(database, fromHour, toHour);
  database.prepare('DELETE FROM usage_hour WHERE hour >= ? AND hour < ?').run(fromHour, toHour);
  const sums = SUMS.map((name) => `sum(${CALL_SUMS[name]})`).join(', ');
  database
    .prepare(
      `INSERT INTO usage_hour (hour, ${KEY}, ${SUMS.join(', ')})
       SELECT time_ns / ${HOURS.ns}, ${KEY_OF_CALLS}, ${sums}
       FROM usage WHERE time_ns >= ? AND time_ns < ? GROUP BY ${GROUPS}`,
    )
    .run(fromHour * HOURS.ns, toHour * HOURS.ns);
  reviseHours(database, fromHour, toHour);
  rebuildDays(database, fromHour / 24n, toNs / DAYS.ns + 1n);
}

/** Removes all cells before an hour, and says whether there were any; its day keeps what is left of it. */
export function removeBefore(database: DatabaseSync, hour: bigint): boolean {
  reviseHours(database, 0n, hour);
  const { changes } = database.prepare('DELETE FROM usage_hour WHERE hour < ?').run(hour);
  // Calls of hours whose sums went earlier go in further steps.
  database
    .prepare('UPDATE usage_hour_revision SET revision = revision + 1 WHERE hour < ?')
    .run(hour);
  const day = hour / 24n;
  database.prepare('DELETE FROM usage_day WHERE day < ?').run(day);
  forgetDaysBefore(database, day);
  if (hour % 24n !== 0n) rebuildDays(database, day, day + 1n);
  return changes > 0;
}

function rebuildDays(database: DatabaseSync, fromDay: bigint, toDay: bigint): void {
  database.prepare('DELETE FROM usage_day WHERE day >= ? AND day < ?').run(fromDay, toDay);
  database
    .prepare(
      `INSERT INTO usage_day (day, ${KEY}, ${SUMS.join(', ')})
       SELECT hour / 24, ${KEY}, ${SUMS.map((name) => `sum(${name})`).join(', ')}
       FROM usage_hour WHERE hour >= ? AND hour < ? GROUP BY ${GROUPS}`,
    )
    .run(fromDay * 24n, toDay * 24n);
  // Rows of an erased user must not stay in them.
  for (let day = fromDay; day < toDay; day++) forgetDay(database, day);
}
