import { unitsOf } from '../../../src/domain/billed-usage.ts';
import type { UsageRecord } from '../../../src/domain/usage-record.ts';
import { costNanos, type UsageSums } from './usage-sums.ts';

/** The sums over this one call. */
export function sumsOfRecord(record: UsageRecord): UsageSums {
  const { outcome, tokenSource, outputTokens, timeToFirstChunkMs, durationMs } = record;
  const cost = costNanos(record.costUsd);
  const isCounted = tokenSource !== undefined;
  return {
    calls: 1,
    errors: Number(outcome === 'error'),
    aborted: Number(outcome === 'aborted'),
    blocked: Number(outcome === 'blocked'),
    countedCalls: Number(isCounted),
    estimatedCalls: Number(tokenSource === 'estimated'),
    unpricedCalls: Number(isCounted && cost === null),
    partialCostCalls: Number(record.costMissing !== undefined),
    inputTokens: record.inputTokens ?? null,
    outputTokens: outputTokens ?? null,
    totalTokens: record.totalTokens ?? null,
    cacheReadTokens: record.cacheReadTokens ?? null,
    cacheWriteTokens: record.cacheWriteTokens ?? null,
    reasoningTokens: record.reasoningTokens ?? null,
    costNanos: cost,
    durationMs,
    outputDurationMs: outputTokens === undefined ? 0 : durationMs,
    firstChunkMs: timeToFirstChunkMs ?? 0,
    firstChunkCalls: Number(timeToFirstChunkMs !== undefined),
    ...unitsOf(record),
  };
}
