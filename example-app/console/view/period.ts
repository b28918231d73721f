import type { Preset, Range } from './view.ts';

export type Unit = 'hour' | 'day';

/** Time range of a view in buckets, in the time zone of the browser. */
export interface Period {
  readonly from: Date;
  readonly to: Date;
  /** Ends now. */
  readonly live: boolean;
  readonly unit: Unit;
  /** Of the buckets, ms. */
  readonly starts: readonly number[];
  /** Of the last bucket, ms. */
  readonly end: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Maximum number of bars; longer ranges are grouped by day. */
const MAX_HOURS = 7 * 24;
/** The same on a phone. */
const MAX_HOURS_NARROW = 2 * 24;
const narrow = matchMedia('(max-width: 40rem)');
/** Maximum number of hours in one response of the API. */
const MAX_DAYS = 366;

export const timeZone = Intl.DateTimeFormat().resolvedOptions().timeZone;

export function periodOf(range: Range, now: Date): Period {
  const { from, to } = bordersOf(range, now);
  const hours = narrow.matches ? MAX_HOURS_NARROW : MAX_HOURS;
  const unit = to.getTime() - from.getTime() <= (hours + 1) * HOUR_MS ? 'hour' : 'day';
  const starts: number[] = [];
  let start = startOf(unit, from);
  while (start < to.getTime() && starts.length < MAX_HOURS * 4) {
    starts.push(start);
    start = nextStart(unit, start);
  }
  const live = typeof range === 'string' && to.getTime() === now.getTime();
  return { from, to, live, unit, starts, end: start };
}

export function startOf(unit: Unit, time: Date | number): number {
  const start = new Date(time);
  if (unit === 'day') return start.setHours(0, 0, 0, 0);
  // Not by setMinutes: of an hour that comes twice it takes the first.
  const past = (start.getMinutes() * 60 + start.getSeconds()) * 1000 + start.getMilliseconds();
  return start.getTime() - past;
}

/** Days of 23 and 25 hours are days too. */
function nextStart(unit: Unit, start: number): number {
  if (unit === 'hour') return start + HOUR_MS;
  const next = new Date(start);
  next.setDate(next.getDate() + 1);
  return startOf('day', next);
}

interface Borders {
  readonly from: Date;
  readonly to: Date;
}

export function bordersOf(range: Range, now: Date): Borders {
  if (typeof range === 'string') return bordersOfPreset(range, now);
  const to = new Date(range.to);
  const from = new Date(Math.max(Date.parse(range.from), to.getTime() - MAX_DAYS * DAY_MS));
  return { from, to };
}

function bordersOfPreset(range: Preset, now: Date): Borders {
  const today = new Date(startOf('day', now));
  const daysAgo = (days: number): Date =>
    new Date(today.getFullYear(), today.getMonth(), today.getDate() - days);
  const month = (ago: number): Date => new Date(today.getFullYear(), today.getMonth() - ago, 1);
  switch (range) {
    case 'today':
      return { from: today, to: now };
    case '24h':
      return { from: new Date(startOf('hour', now) - 23 * HOUR_MS), to: now };
    case 'yesterday':
      return { from: daysAgo(1), to: today };
    case 'this-month':
      return { from: month(0), to: now };
    case 'last-month':
      return { from: month(1), to: month(0) };
    default:
      return { from: daysAgo({ '7d': 6, '30d': 29, '90d': 89 }[range]), to: now };
  }
}
