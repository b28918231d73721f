import { USAGE_UNITS, type UsageUnit } from '../../../src/domain/billed-usage.ts';
import type { UsageMetric, UsageNumbers } from '../usage-query.ts';
import { binOf, QuantileSketch } from './quantile-sketch.ts';

/** Integer nano-dollars, so that sums do not drift. */
export function costNanos(costUsd: number | undefined): number | null {
  return costUsd === undefined ? null : Math.round(costUsd * 1e9);
}

/** Null or absent when no call has any: few calls have units, and most sums none. */
type UnitSums = { [Unit in UsageUnit]?: number | null };

/** Sums over calls. Null when no call has a value. */
export interface UsageSums extends UnitSums {
  calls: number;
  errors: number;
  aborted: number;
  blocked: number;
  countedCalls: number;
  estimatedCalls: number;
  unpricedCalls: number;
  partialCostCalls: number;
  inputTokens: number | null;
  outputTokens: number | null;
  totalTokens: number | null;
  cacheReadTokens: number | null;
  cacheWriteTokens: number | null;
  reasoningTokens: number | null;
  costNanos: number | null;
  durationMs: number;
  /** Duration of calls with known output tokens. */
  outputDurationMs: number;
  firstChunkMs: number;
  firstChunkCalls: number;
}

/** Every member of `UsageSums`. */
export const SUM_KEYS: readonly (keyof UsageSums)[] = [
  'calls',
  'errors',
  'aborted',
  'blocked',
  'countedCalls',
  'estimatedCalls',
  'unpricedCalls',
  'partialCostCalls',
  'inputTokens',
  'outputTokens',
  'totalTokens',
  'cacheReadTokens',
  'cacheWriteTokens',
  'reasoningTokens',
  'costNanos',
  'durationMs',
  'outputDurationMs',
  'firstChunkMs',
  'firstChunkCalls',
  ...USAGE_UNITS,
];

interface Latencies {
  readonly duration: QuantileSketch;
  readonly firstChunk: QuantileSketch;
}

/** Sums of one row, with sketches when percentiles are requested. */
export interface Tally {
  readonly sums: UsageSums;
  readonly latencies: Latencies | undefined;
}

export function newTally(percentiles: boolean): Tally {
  return {
    sums: {
      calls: 0,
      errors: 0,
      aborted: 0,
      blocked: 0,
      countedCalls: 0,
      estimatedCalls: 0,
      unpricedCalls: 0,
      partialCostCalls: 0,
      inputTokens: null,
      outputTokens: null,
      totalTokens: null,
      cacheReadTokens: null,
      cacheWriteTokens: null,
      reasoningTokens: null,
      costNanos: null,
      durationMs: 0,
      outputDurationMs: 0,
      firstChunkMs: 0,
      firstChunkCalls: 0,
    },
    latencies: percentiles
      ? { duration: new QuantileSketch(), firstChunk: new QuantileSketch() }
      : undefined,
  };
}

/** Member by member: once for each call, and a loop over their names takes several times as long. */
export function addSums(target: UsageSums, more: Partial<UsageSums>): void {
  target.calls += more.calls ?? 0;
  target.errors += more.errors ?? 0;
  target.aborted += more.aborted ?? 0;
  target.blocked += more.blocked ?? 0;
  target.countedCalls += more.countedCalls ?? 0;
  target.estimatedCalls += more.estimatedCalls ?? 0;
  target.unpricedCalls += more.unpricedCalls ?? 0;
  target.partialCostCalls += more.partialCostCalls ?? 0;
  target.inputTokens = plus(target.inputTokens, more.inputTokens);
  target.outputTokens = plus(target.outputTokens, more.outputTokens);
  target.totalTokens = plus(target.totalTokens, more.totalTokens);
  target.cacheReadTokens = plus(target.cacheReadTokens, more.cacheReadTokens);
  target.cacheWriteTokens = plus(target.cacheWriteTokens, more.cacheWriteTokens);
  target.reasoningTokens = plus(target.reasoningTokens, more.reasoningTokens);
  target.costNanos = plus(target.costNanos, more.costNanos);
  target.durationMs += more.durationMs ?? 0;
  target.outputDurationMs += more.outputDurationMs ?? 0;
  target.firstChunkMs += more.firstChunkMs ?? 0;
  target.firstChunkCalls += more.firstChunkCalls ?? 0;
  for (const unit of USAGE_UNITS) {
    const value = more[unit];
    if (value !== null && value !== undefined) target[unit] = (target[unit] ?? 0) + value;
  }
}

/** What is unknown adds nothing, and two of it are unknown. */
function plus(sum: number | null, more: number | null | undefined): number | null {
  return more === null || more === undefined ? sum : (sum ?? 0) + more;
}

export function addTally(target: Tally, more: Tally): void {
  addSums(target.sums, more.sums);
  if (target.latencies === undefined || more.latencies === undefined) return;
  target.latencies.duration.merge(more.latencies.duration);
  target.latencies.firstChunk.merge(more.latencies.firstChunk);
}

/** Adds the sums of one call. */
export function addCall(target: Tally, sums: UsageSums): void {
  addSums(target.sums, sums);
  if (target.latencies === undefined) return;
  // A result of a batch took a time that nobody knows.
  if (sums.durationMs > 0) target.latencies.duration.addBin(binOf(sums.durationMs), 1);
  if (sums.firstChunkCalls > 0) target.latencies.firstChunk.addBin(binOf(sums.firstChunkMs), 1);
}

/** Where the sums have a metric. */
export function sumName(metric: UsageMetric): keyof UsageSums {
  return metric === 'costUsd' ? 'costNanos' : metric;
}

export function metricOf(sums: UsageSums, metric: UsageMetric): number | null {
  return sums[sumName(metric)] ?? null;
}

type Optional<T> = { -readonly [K in keyof T]?: T[K] };

export function numbersOf({ sums, latencies }: Tally): UsageNumbers {
  const numbers: Optional<UsageNumbers> = {};
  const put = (key: keyof UsageNumbers, value: number | null | undefined): void => {
    if (value !== null && value !== undefined) numbers[key] = value;
  };
  const share = (part: number | null, whole: number | null): number | undefined =>
    part === null || whole === null || whole === 0 ? undefined : part / whole;
  put('inputTokens', sums.inputTokens);
  put('outputTokens', sums.outputTokens);
  put('totalTokens', sums.totalTokens);
  put('cacheReadTokens', sums.cacheReadTokens);
  put('cacheWriteTokens', sums.cacheWriteTokens);
  put('reasoningTokens', sums.reasoningTokens);
  put('cacheReadShare', share(sums.cacheReadTokens, sums.inputTokens));
  put('costUsd', share(sums.costNanos, 1e9));
  put('estimatedShare', share(sums.estimatedCalls, sums.countedCalls));
  put('timeToFirstChunkMs', share(sums.firstChunkMs, sums.firstChunkCalls));
  const units = unitNumbers(sums);
  const made = sums.calls - sums.blocked;
  const seconds = sums.outputDurationMs / 1000;
  put('outputTokensPerSecond', share(sums.outputTokens, seconds));
  for (const percent of [50, 95, 99] as const) {
    put(`durationP${percent}Ms`, latencies?.duration.percentile(percent));
    put(`timeToFirstChunkP${percent}Ms`, latencies?.firstChunk.percentile(percent));
  }
  return {
    calls: sums.calls,
    errors: sums.errors,
    aborted: sums.aborted,
    blocked: sums.blocked,
    errorRate: share(sums.errors, made) ?? 0,
    abortRate: share(sums.aborted, made) ?? 0,
    unpricedCalls: sums.unpricedCalls,
    partialCostCalls: sums.partialCostCalls,
    countedCalls: sums.countedCalls,
    durationMs: sums.durationMs,
    ...numbers,
    ...(units && { units }),
  };
}

function unitNumbers(sums: UsageSums): UsageNumbers['units'] {
  let units: Partial<Record<UsageUnit, number>> | undefined;
  for (const unit of USAGE_UNITS) {
    const sum = sums[unit];
    if (sum === null || sum === undefined) continue;
    // Seconds have fractions: equal to the microsecond, in whatever order they were added.
    (units ??= {})[unit] = Number.isInteger(sum) ? sum : Math.round(sum * 1e6) / 1e6;
  }
  return units;
}
