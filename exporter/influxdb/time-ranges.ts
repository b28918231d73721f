import type { InfluxVersion } from './influx-options.ts';

export interface TimeRange {
  readonly fromMs: number;
  readonly toMs: number;
}

const DAY_MS = 86_400_000;
/** 3 Core refuses queries over more than about three days of files. */
const VERSION_3_RANGE_MS = 2 * DAY_MS;
/** Where a query names no start, 3.x is asked this far back: each two days are a request. */
const VERSION_3_REACH_MS = 90 * DAY_MS;

/** The range as far as it is worth asking for: 3.x is asked piece by piece, up to now. */
export function withinReach<T extends TimeRange>(
  range: T,
  version: InfluxVersion,
  nowMs: number,
): T {
  if (version !== '3') return range;
  const toMs = Math.min(range.toMs, nowMs + DAY_MS);
  const fromMs = range.fromMs === 0 ? toMs - VERSION_3_REACH_MS : range.fromMs;
  return { ...range, fromMs, toMs };
}

/** The range in pieces that the server answers at once, oldest first. */
export function pieces<T extends TimeRange>(range: T, version: InfluxVersion): readonly T[] {
  if (version !== '3') return [range];
  const result: T[] = [];
  for (let from = range.fromMs; from < range.toMs; from += VERSION_3_RANGE_MS) {
    const to = Math.min(from + VERSION_3_RANGE_MS, range.toMs);
    result.push({ ...range, fromMs: from, toMs: to });
  }
  return result;
}
