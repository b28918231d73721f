import type { BudgetWindow } from './budget.ts';
import { Calendar, type WindowSpan } from './calendar.ts';
import { rollingMs } from './rolling.ts';

/** What a rolling window is cut into. It forgets one at a time, when all of it is older than the window. */
const BUCKETS = 48;

/** The window of a budget as buckets of spending: a calendar window is one bucket, a rolling one has many. */
export interface WindowBuckets {
  /** The bucket that an instant is in. Answers from memory until it is over. */
  bucketAt(nowMs: number): WindowSpan;
  /** Begin of the oldest bucket that still counts at an instant. */
  oldestAt(nowMs: number): number;
  /** Names the list of accounts of the window: one for each calendar window, one for a rolling one. */
  indexAt(nowMs: number): number;
  /** When the bucket that begins there no longer counts. */
  forgottenAt(bucketFromMs: number): number;
}

export function windowBuckets(window: BudgetWindow): WindowBuckets {
  if (typeof window === 'object' && 'rolling' in window) {
    return rollingBuckets(rollingMs(window.rolling) ?? 0);
  }
  const { calendar, timeZone = 'UTC' } = typeof window === 'string' ? { calendar: window } : window;
  return calendarBuckets(new Calendar(calendar, timeZone));
}

function calendarBuckets(calendar: Calendar): WindowBuckets {
  let bucket: WindowSpan = { fromMs: 0, toMs: 0 };
  const bucketAt = (nowMs: number): WindowSpan => {
    if (nowMs < bucket.fromMs || nowMs >= bucket.toMs) bucket = calendar.spanAt(nowMs);
    return bucket;
  };
  return {
    bucketAt,
    oldestAt: (nowMs) => bucketAt(nowMs).fromMs,
    indexAt: (nowMs) => bucketAt(nowMs).fromMs,
    forgottenAt: (fromMs) =>
      fromMs === bucket.fromMs ? bucket.toMs : calendar.spanAt(fromMs).toMs,
  };
}

function rollingBuckets(lengthMs: number): WindowBuckets {
  const bucketMs = lengthMs / BUCKETS;
  const begin = (ms: number): number => Math.floor(ms / bucketMs) * bucketMs;
  let bucket: WindowSpan = { fromMs: 0, toMs: 0 };
  return {
    bucketAt(nowMs) {
      const fromMs = begin(nowMs);
      if (fromMs !== bucket.fromMs) bucket = { fromMs, toMs: fromMs + bucketMs };
      return bucket;
    },
    oldestAt: (nowMs) => begin(nowMs) - lengthMs,
    indexAt: () => 0,
    forgottenAt: (bucketFromMs) => bucketFromMs + bucketMs + lengthMs,
  };
}
