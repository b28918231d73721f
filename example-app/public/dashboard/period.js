// @ts-check

/**
 * Time range of a view in buckets, in the time zone of the browser.
 *
 * @typedef {{
 *   from: Date,
 *   to: Date,
 *   live: boolean,
 *   unit: 'hour' | 'day',
 *   starts: readonly number[],
 *   end: number,
 * }} Period `starts`: of the buckets, ms; `end`: of the last one. `live`: ends now.
 */

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

/**
 * @param {import('./view.js').View['range']} range
 * @param {Date} now
 * @returns {Period}
 */
export function periodOf(range, now) {
  const { from, to } = borders(range, now);
  const hours = narrow.matches ? MAX_HOURS_NARROW : MAX_HOURS;
  const unit = to.getTime() - from.getTime() <= (hours + 1) * HOUR_MS ? 'hour' : 'day';
  const starts = [];
  let start = startOf(unit, from);
  while (start < to.getTime() && starts.length < MAX_HOURS * 4) {
    starts.push(start);
    start = nextStart(unit, start);
  }
  return { from, to, live: typeof range === 'string', unit, starts, end: start };
}

/**
 * @param {'hour' | 'day'} unit
 * @param {Date | number} time
 */
export function startOf(unit, time) {
  const start = new Date(time);
  if (unit === 'day') return start.setHours(0, 0, 0, 0);
  // Not by setMinutes: of an hour that comes twice it takes the first.
  const past = (start.getMinutes() * 60 + start.getSeconds()) * 1000 + start.getMilliseconds();
  return start.getTime() - past;
}

/** Days of 23 and 25 hours are days too. @param {'hour' | 'day'} unit @param {number} start */
function nextStart(unit, start) {
  if (unit === 'hour') return start + HOUR_MS;
  const next = new Date(start);
  next.setDate(next.getDate() + 1);
  return startOf('day', next);
}

/** @param {import('./view.js').View['range']} range @param {Date} now */
function borders(range, now) {
  if (typeof range !== 'string') {
    const to = new Date(range.to);
    const from = new Date(Math.max(Date.parse(range.from), to.getTime() - MAX_DAYS * DAY_MS));
    return { from, to };
  }
  if (range === 'today') return { from: new Date(startOf('day', now)), to: now };
  if (range === '24h') return { from: new Date(startOf('hour', now) - 23 * HOUR_MS), to: now };
  const days = { '7d': 7, '30d': 30, '90d': 90 }[range];
  const from = new Date(startOf('day', now));
  from.setDate(from.getDate() - days + 1);
  return { from, to: now };
}
