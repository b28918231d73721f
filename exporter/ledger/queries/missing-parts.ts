import type { UsageSummary } from '../usage-query.ts';
import { type CheckedQuery, previousPeriod } from './checked-query.ts';
import type { TimeRange } from './gather.ts';

/** A ledger whose sums may outlive their calls. */
export interface ExpiringSource {
  /** Parts of the query's range whose calls are gone and would have to be read. @default none */
  missing?(query: CheckedQuery): Promise<readonly TimeRange[]>;
}

/** What the numbers of a summary lack. */
export async function missingParts(
  query: CheckedQuery,
  source: ExpiringSource,
): Promise<Pick<UsageSummary, 'missing'>> {
  const all = { ...query, unit: undefined, percentiles: false };
  const asked = [
    query,
    ...(query.distinct
      ? (['user', 'conversation'] as const).map((key) => ({ ...all, dimensions: [key] }))
      : []),
  ];
  const parts = asked.flatMap((one) => (one.compare ? [one, previousPeriod(one)] : [one]));
  const found = await Promise.all(parts.map(async (part) => await source.missing?.(part)));
  const missing = joinedRanges(found.flatMap((ranges) => ranges ?? []));
  if (missing.length === 0) return {};
  const text = (ms: number): string => new Date(ms).toISOString();
  return { missing: missing.map(({ fromMs, toMs }) => ({ from: text(fromMs), to: text(toMs) })) };
}

/** In order of time, those that touch one another as one. */
function joinedRanges(ranges: readonly TimeRange[]): readonly TimeRange[] {
  const joined: { fromMs: number; toMs: number }[] = [];
  for (const { fromMs, toMs } of ranges.toSorted((a, b) => a.fromMs - b.fromMs)) {
    const last = joined.at(-1);
    if (last === undefined || last.toMs < fromMs) joined.push({ fromMs, toMs });
    else last.toMs = Math.max(last.toMs, toMs);
  }
  return joined;
}
