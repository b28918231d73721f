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
 * An instant as people and URLs write it: `now`, an age (`30m`, `24h`, `7d`, `4w` ago), a date (the
 * start of that day in the zone), or an RFC 3339 time with its offset. Rejects with `INVALID_OPTION`.
 */
export async function parseUsageTime(
  text: string,
  timeZone = 'UTC',
  now: Date = new Date(),
): Promise<Date> {
  if (text === 'now') return now;
  const [, amount, unit = ''] = /^-?(\d{1,6})([mhdw])$/.exec(text) ?? [];
  if (amount !== undefined) return new Date(now.getTime() - Number(amount) * (UNIT_MS[unit] ?? 0));
  if (isDate(text)) {
    const zone = await TimeZone.load(timeZone);
    return new Date(zone.startOfDay(Date.parse(text) / DAY_MS));
  }
  const isFull = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/i.test(text);
  const time = isFull && isDate(text.slice(0, 10)) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(time)) return new Date(time);
  throw new TokenMeterError('INVALID_OPTION', `invalid time ${JSON.stringify(text)}`, {
    value: text,
    allowed: ALLOWED,
  });
}

/** Whether the day exists: `Date` takes 31 February for 3 March. */
function isDate(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return false;
  const time = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}
