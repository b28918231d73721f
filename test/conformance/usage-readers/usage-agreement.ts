import assert from 'node:assert/strict';
import type {
  UsageGroup,
  UsageMetric,
  UsageNumbers,
  UsageRow,
} from '../../../exporter/ledger/usage-query.ts';
import type { UsageRecord } from '../../../src/domain/usage-record.ts';
import { type OracleRow, percentileOf, sumOf, unitsOf } from '../../support/usage-oracle.ts';

const SUMS = [
  'inputTokens',
  'outputTokens',
  'totalTokens',
  'cacheReadTokens',
  'cacheWriteTokens',
  'reasoningTokens',
  'costUsd',
] as const satisfies readonly UsageMetric[];

export function near(actual: number | undefined, expected: number | undefined, name: string): void {
  if (expected === undefined || actual === undefined) return assert.equal(actual, expected, name);
  assert.ok(
    Math.abs(actual - expected) <= 1e-9 * Math.max(1, Math.abs(expected)),
    `${name}: ${actual}, expected ${expected}`,
  );
}

/** Numbers of a reader against the records they sum up. */
export function agree(numbers: UsageNumbers | undefined, records: readonly UsageRecord[]): void {
  assert.ok(numbers !== undefined);
  const count = (test: (record: UsageRecord) => boolean): number => records.filter(test).length;
  assert.equal(numbers.calls, records.length, 'calls');
  assert.equal(
    numbers.errors,
    count(({ outcome }) => outcome === 'error'),
    'errors',
  );
  assert.equal(
    numbers.aborted,
    count(({ outcome }) => outcome === 'aborted'),
    'aborted',
  );
  assert.equal(
    numbers.blocked,
    count(({ outcome }) => outcome === 'blocked'),
    'blocked',
  );
  const made = numbers.calls - numbers.blocked;
  near(numbers.errorRate, made === 0 ? 0 : numbers.errors / made, 'errorRate');
  for (const metric of SUMS) assert.equal(numbers[metric], sumOf(records, metric), metric);
  near(numbers.durationMs, sumOf(records, 'durationMs') ?? 0, 'durationMs');
  const counted = records.filter(({ tokenSource }) => tokenSource !== undefined);
  const estimated = counted.filter(({ tokenSource }) => tokenSource === 'estimated');
  assert.equal(numbers.countedCalls, counted.length, 'countedCalls');
  near(
    numbers.estimatedShare,
    counted.length === 0 ? undefined : estimated.length / counted.length,
    'estimatedShare',
  );
  const unpriced = counted.filter(({ costUsd }) => costUsd === undefined);
  assert.equal(numbers.unpricedCalls, unpriced.length, 'unpricedCalls');
  assert.equal(
    numbers.partialCostCalls,
    count(({ costMissing }) => costMissing !== undefined),
    'partialCostCalls',
  );
  const chunks = records.flatMap(({ timeToFirstChunkMs }) => timeToFirstChunkMs ?? []);
  const mean = chunks.reduce((sum, value) => sum + value, 0) / chunks.length;
  near(numbers.timeToFirstChunkMs, chunks.length === 0 ? undefined : mean, 'timeToFirstChunkMs');
  const speaking = records.filter(({ outputTokens }) => outputTokens !== undefined);
  const speakingMs = sumOf(speaking, 'durationMs') ?? 0;
  const speed =
    speakingMs === 0 ? undefined : (sumOf(speaking, 'outputTokens') ?? 0) / (speakingMs / 1000);
  near(numbers.outputTokensPerSecond, speed, 'outputTokensPerSecond');
  const [units, expected] = [numbers.units ?? {}, unitsOf(records)];
  assert.deepEqual(Object.keys(units).toSorted(), Object.keys(expected).toSorted(), 'units');
  for (const [unit, amount] of Object.entries(units)) {
    // Rounded to the microsecond.
    assert.ok(Math.abs(amount - (expected[unit] ?? 0)) <= 1e-6, `${unit}: ${amount}`);
  }
}

export function agreePercentiles(
  numbers: UsageNumbers | undefined,
  records: readonly UsageRecord[],
): void {
  const within = (actual: number | undefined, values: readonly number[], percent: number): void => {
    const expected = percentileOf(values, percent);
    if (expected === undefined || actual === undefined) return assert.equal(actual, expected);
    assert.ok(Math.abs(actual / expected - 1) <= 0.0101, `p${percent} ${actual} of ${expected}`);
  };
  // Results of a batch have none.
  const durations = records.map(({ durationMs }) => durationMs).filter((ms) => ms > 0);
  const chunks = records.flatMap(({ timeToFirstChunkMs }) => timeToFirstChunkMs ?? []);
  within(numbers?.durationP50Ms, durations, 50);
  within(numbers?.durationP95Ms, durations, 95);
  within(numbers?.durationP99Ms, durations, 99);
  within(numbers?.timeToFirstChunkP50Ms, chunks, 50);
  within(numbers?.timeToFirstChunkP95Ms, chunks, 95);
  within(numbers?.timeToFirstChunkP99Ms, chunks, 99);
}

export const keyOf = (row: UsageRow, groupBy: readonly UsageGroup[]): string =>
  JSON.stringify(groupBy.map((group) => row[group]));

export function agreeRows(
  rows: readonly UsageRow[],
  expected: readonly OracleRow[],
  groupBy: readonly UsageGroup[],
): void {
  const byKey = new Map(expected.map((row) => [JSON.stringify(row.key), row.records]));
  assert.deepEqual(rows.map((row) => keyOf(row, groupBy)).toSorted(), [...byKey.keys()].toSorted());
  for (const row of rows) agree(row, byKey.get(keyOf(row, groupBy)) ?? []);
}
