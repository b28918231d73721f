import type { CalendarUnit } from './budget.ts';

/** From `fromMs` to before `toMs`, milliseconds since 1970. */
export interface WindowSpan {
  readonly fromMs: number;
  readonly toMs: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Longer than any of them, also where a clock goes back. */
const LONGEST_MS = { day: 2 * DAY_MS, week: 9 * DAY_MS, month: 33 * DAY_MS } as const;

export function isTimeZone(zone: unknown): zone is string {
  if (typeof zone !== 'string') return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone }).format();
    return true;
  } catch {
    return false;
  }
}

/** Hours, days, weeks and months as clocks and calendars of one time zone have them. */
export class Calendar {
  readonly #unit: CalendarUnit;
  readonly #format: Intl.DateTimeFormat;

  constructor(unit: CalendarUnit, timeZone: string) {
    this.#unit = unit;
    this.#format = new Intl.DateTimeFormat('en-CA', {
      timeZone,
      calendar: 'iso8601',
      numberingSystem: 'latn',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      hourCycle: 'h23',
      era: 'short',
    });
  }

  /** The window that an instant is in. */
  spanAt(nowMs: number): WindowSpan {
    if (this.#unit === 'hour') {
      const fromMs = this.#hourStart(nowMs);
      return { fromMs, toMs: fromMs + HOUR_MS };
    }
    const longestMs = LONGEST_MS[this.#unit];
    const key = this.#keyAt(nowMs);
    return {
      fromMs: firstFrom(nowMs - longestMs, nowMs, (ms) => this.#keyAt(ms) === key),
      toMs: firstFrom(nowMs, nowMs + longestMs, (ms) => this.#keyAt(ms) !== key),
    };
  }

  /** Zones are whole minutes from UTC; an hour that a clock shows twice is two. */
  #hourStart(nowMs: number): number {
    const { minute, second } = this.#partsAt(nowMs);
    const secondStart = Math.floor(nowMs / 1000) * 1000;
    return secondStart - (minute * 60 + second) * 1000;
  }

  /** The same for all instants of one window, and rising from one to the next. */
  #keyAt(ms: number): number {
    const { year, month, day } = this.#partsAt(ms);
    if (this.#unit === 'month') return year * 12 + month;
    const days = Math.round(Date.UTC(year, month - 1, day) / DAY_MS);
    // 1 January 1970 was a Thursday.
    return this.#unit === 'day' ? days : Math.floor((days + 3) / 7);
  }

  #partsAt(ms: number): Record<'year' | 'month' | 'day' | 'minute' | 'second', number> {
    const parts = { year: 0, month: 0, day: 0, minute: 0, second: 0 };
    for (const { type, value } of this.#format.formatToParts(ms)) {
      if (type in parts) parts[type as keyof typeof parts] = Number(value);
    }
    return parts;
  }
}

/** The first whole second after `lowMs` up to `highMs` for which `holds`, which it does from there on. */
function firstFrom(lowMs: number, highMs: number, holds: (ms: number) => boolean): number {
  let low = Math.floor(lowMs / 1000);
  let high = Math.ceil(highMs / 1000);
  if (!holds(high * 1000)) high = Math.floor(highMs / 1000);
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (holds(middle * 1000)) high = middle;
    else low = middle;
  }
  return high * 1000;
}
