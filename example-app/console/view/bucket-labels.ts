import { locale } from '../texts.ts';
import type { Unit } from './period.ts';

const format = (options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat =>
  new Intl.DateTimeFormat(locale, options);

const clock = format({ hour: '2-digit', minute: '2-digit' });
const date = format({ day: 'numeric', month: 'short' });
const month = format({ month: 'short', year: 'numeric' });
const fullDate = format({ weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' });
const dateAndClock = format({
  weekday: 'short',
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
});

const DAY_S = 86_400;

/** "Tue, 3 Nov, 10:00 – 11:00", or the date. `start` in ms. */
export function bucketLabel(start: number, unit: Unit): string {
  if (unit === 'day') return fullDate.format(start);
  return dateAndClock.formatRange(start, start + 3_600_000);
}

/** Labels of a time axis, placed to the right of their ticks. All times in seconds. */
export function axisLabels(
  splits: readonly number[],
  step: number,
  /** The end of the axis, and what a label needs before it. */
  { to, roomS }: { readonly to: number; readonly roomS: number },
): string[] {
  return splits.map((split) => {
    if (to - split < roomS) return '';
    const time = new Date(split * 1000);
    if (step >= 28 * DAY_S) return month.format(time);
    const midnight = time.getHours() === 0 && time.getMinutes() === 0;
    return step >= DAY_S || midnight ? date.format(time) : clock.format(time);
  });
}
