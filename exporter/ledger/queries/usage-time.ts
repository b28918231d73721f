import { TokenMeterError } from '../../../src/errors.ts';
import { TimeZone } from './time-zone.ts';

const UNIT_MS: Readonly<Record<string, number>> = {
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};
const DAY_MS = 86_400_000;
const ALLOWED = 'now, an age such as 24h or 7d, a date such as 2026-10-25, or an RFC 3339 time';

/**
 * Parses an instant as written in URLs and on the command line: `now`, an age (`30m`, `24h`, `7d`,
 * `4w`), a date (start of that day in the zone), or an RFC 3339 time with offset. Throws
 * `INVALID_OPTION`.
 */
export function parseUsageTime(text: string, timeZone = 'UTC', now: Date = new Date()): Date {
  if (text === 'now') return now;
  const [, amount, unit = ''] = /^-?(\d{1,6})([mhdw])$/.exec(text) ?? [];
  if (amount !== undefined) return new Date(now.getTime() - Number(amount) * (UNIT_MS[unit] ?? 0));
  if (/^\d{4}-\d\d-\d\d$/.test(text)) {
    const day = Date.parse(`${text}T00:00:00Z`) / DAY_MS;
    if (!Number.isNaN(day)) return new Date(new TimeZone(timeZone).startOfDay(day));
  }
  const isFull = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/i.test(text);
  const time = isFull ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(time)) return new Date(time);
  throw new TokenMeterError('INVALID_OPTION', `invalid time ${JSON.stringify(text)}`, {
    value: text,
    allowed: ALLOWED,
  });
}
