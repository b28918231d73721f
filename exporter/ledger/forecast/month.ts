import { dayLabel, type TimeZone } from '../queries/time-zone.ts';

const DAY_MS = 86_400_000;

/** The calendar month of an instant. Days are counted since 1970, in local time. */
export interface Month {
  readonly fromMs: number;
  readonly toMs: number;
  readonly firstDay: number;
  readonly today: number;
  /** First day of the next month. */
  readonly endDay: number;
}

export function monthOf(zone: TimeZone, nowMs: number): Month {
  const today = Math.floor((nowMs + zone.offsetMs(nowMs)) / DAY_MS);
  const [year = 0, month = 0] = dayLabel(today).split('-').map(Number);
  const firstDay = Date.UTC(year, month - 1, 1) / DAY_MS;
  const endDay = Date.UTC(year, month, 1) / DAY_MS;
  return {
    fromMs: zone.startOfDay(firstDay),
    toMs: zone.startOfDay(endDay),
    firstDay,
    today,
    endDay,
  };
}
