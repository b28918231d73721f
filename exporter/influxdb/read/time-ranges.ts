import type { InfluxVersion } from '../influx-options.ts';

export interface TimeRange {
  readonly fromMs: number;
  readonly toMs: number;
}

const HOUR_MS = 3_600_000;
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
  return version === '3' ? slices(range, VERSION_3_RANGE_MS) : [range];
}

/** The range in pieces of `widthMs`, oldest first. */
export function slices<T extends TimeRange>(range: T, widthMs: number): T[] {
  const result: T[] = [];
  for (let fromMs = range.fromMs; fromMs < range.toMs; fromMs += widthMs) {
    result.push({ ...range, fromMs, toMs: Math.min(fromMs + widthMs, range.toMs) });
  }
  return result;
}

/**
 * The range newest first, in pieces that grow from an hour before `nowMs`: the newest records are
 * mostly there, and a server that is asked for everything opens every series of every shard.
 */
export function newestFirst<T extends TimeRange>(
  range: T,
  version: InfluxVersion,
  nowMs: number,
): readonly T[] {
  const longest = version === '3' ? VERSION_3_RANGE_MS : Infinity;
  const result: T[] = [];
  let width = HOUR_MS;
  let toMs = range.toMs;
  // What lies ahead of now is one piece with the last hour.
  let start = Math.min(toMs, nowMs) - width;
  while (toMs > range.fromMs) {
    const fromMs = Math.max(range.fromMs, start);
    result.push({ ...range, fromMs, toMs });
    toMs = fromMs;
    width = Math.min(width * 8, longest);
    start = fromMs - width;
  }
  return result;
}
