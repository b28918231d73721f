import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { UsageRecord } from '../../src/usage/usage-record.ts';
import { HOUR_NS } from './schema.ts';
import { costNanos, timeToNs } from './stored-record.ts';

/** Columns that add up; null plus null stays null, because no sum of unknowns is 0. */
export const SUMS = [
  'calls',
  'counted_calls',
  'estimated_calls',
  'unpriced_calls',
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

/** The same sums of single calls, for ranges that no whole hour covers. */
export const CALL_SUMS: Readonly<Record<(typeof SUMS)[number], string>> = {
  calls: '1',
  counted_calls: 'token_source IS NOT NULL',
  estimated_calls: "token_source IS 'estimated'",
  unpriced_calls: 'token_source IS NOT NULL AND cost_nanos IS NULL',
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

const UPSERT = `INSERT INTO usage_hour (hour, service, provider, model, outcome, ${SUMS.join(', ')})
VALUES (?, ?, ?, ?, ?, ${SUMS.map(() => '?').join(', ')})
ON CONFLICT DO UPDATE SET ${SUMS.map(
  (name) =>
    `${name} = iif(excluded.${name} IS NULL, ${name}, ifnull(${name}, 0) + excluded.${name})`,
).join(', ')}`;

/** Adds records that were just inserted to their hours; call it inside their transaction. */
export function addToHours(database: DatabaseSync, records: readonly UsageRecord[]): void {
  const cells = new Map<string, Cell>();
  for (const record of records) {
    const { service, provider, requestModel, outcome } = record;
    const key = [timeToNs(record.time) / HOUR_NS, service, provider, requestModel, outcome];
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
  const upsert = database.prepare(UPSERT);
  for (const { key, sums } of cells.values()) upsert.run(...key, ...sums);
}

/** Makes the hours from `fromHour` to `toHour` (not included) anew from their calls. */
export function rebuildHours(database: DatabaseSync, fromHour: bigint, toHour: bigint): void {
  database.prepare('DELETE FROM usage_hour WHERE hour >= ? AND hour < ?').run(fromHour, toHour);
  const select = SUMS.map((name) => `sum(${CALL_SUMS[name]})`).join(', ');
  database
    .prepare(
      `INSERT INTO usage_hour (hour, service, provider, model, outcome, ${SUMS.join(', ')})
       SELECT time_ns / ${HOUR_NS}, service, provider, model, outcome, ${select}
       FROM usage WHERE time_ns >= ? AND time_ns < ? GROUP BY 1, 2, 3, 4, 5`,
    )
    .run(fromHour * HOUR_NS, toHour * HOUR_NS);
}
