import { TokenMeterError } from '../../../src/errors.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** A span of local time with a constant offset, in which every day has 24 hours. */
export interface TimeSegment {
  readonly fromMs: number;
  readonly toMs: number;
  /** Local time = UTC + offset. */
  readonly offsetMs: number;
}

/** Offsets of a time zone. Throws `INVALID_OPTION` for names that the runtime does not know. */
export class TimeZone {
  readonly name: string;
  readonly #format: Intl.DateTimeFormat | undefined;

  constructor(name: string) {
    this.name = name;
    if (name === 'UTC') return;
    try {
      this.#format = new Intl.DateTimeFormat('en-US', {
        timeZone: name,
        timeZoneName: 'longOffset',
      });
    } catch (cause) {
      throw new TokenMeterError('INVALID_OPTION', `query: unknown timeZone ${name}`, {
        value: name,
        allowed: 'an IANA time zone such as Europe/Berlin',
        cause,
      });
    }
  }

  offsetMs(time: number): number {
    const text = this.#format?.formatToParts(time).find(({ type }) => type === 'timeZoneName');
    const [, sign, hours, minutes] = /GMT([+-])(\d\d):(\d\d)/.exec(text?.value ?? '') ?? [];
    const offset = Number(hours ?? 0) * HOUR_MS + Number(minutes ?? 0) * MINUTE_MS;
    return sign === '-' ? -offset : offset;
  }

  /** Splits the range where the offset changes. */
  segments(fromMs: number, toMs: number): readonly TimeSegment[] {
    if (this.#format === undefined) return [{ fromMs, toMs, offsetMs: 0 }];
    const segments: TimeSegment[] = [];
    let start = fromMs;
    let offsetMs = this.offsetMs(start);
    for (let time = fromMs; time < toMs;) {
      const next = Math.min(time + DAY_MS, toMs);
      if (this.offsetMs(next) !== offsetMs) {
        const change = this.#changeBetween(time, next, offsetMs);
        if (change >= toMs) break;
        segments.push({ fromMs: start, toMs: change, offsetMs });
        start = change;
        offsetMs = this.offsetMs(change);
        time = change;
      } else {
        time = next;
      }
    }
    segments.push({ fromMs: start, toMs, offsetMs });
    return segments;
  }

  #changeBetween(before: number, after: number, offsetMs: number): number {
    let low = Math.floor(before / MINUTE_MS);
    let high = Math.ceil(after / MINUTE_MS);
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (this.offsetMs(middle * MINUTE_MS) === offsetMs) low = middle;
      else high = middle;
    }
    return high * MINUTE_MS;
  }

  /** Start of a local day, given in days since 1970. */
  startOfDay(day: number): number {
    const local = day * DAY_MS;
    // Uses the offset at local midnight. If midnight is skipped, the day starts at the transition.
    const guess = local - this.offsetMs(local - this.offsetMs(local));
    const earlier = guess - HOUR_MS;
    if (Math.floor((earlier + this.offsetMs(earlier)) / DAY_MS) === day) return earlier;
    return guess;
  }
}

const two = (value: number): string => String(value).padStart(2, '0');

/** Formats days since 1970 as `2026-10-25`. */
export function dayLabel(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

/** Formats an instant as `2026-10-25T02:00+01:00`. */
export function hourLabel(startMs: number, offsetMs: number): string {
  const minutes = Math.abs(offsetMs) / MINUTE_MS;
  const sign = offsetMs < 0 ? '-' : '+';
  const local = new Date(startMs + offsetMs).toISOString().slice(0, 16);
  return `${local}${sign}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}
