import type { Temporal } from 'temporal-polyfill';
import { TokenMeterError } from '../../../src/errors.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** A span of local time with a constant offset, in which every day has 24 hours. */
export interface TimeSegment {
  readonly fromMs: number;
  readonly toMs: number;
  /** Local time = UTC + offset. */
  readonly offsetMs: number;
}

/** Offsets and day starts of a time zone. */
export class TimeZone {
  readonly name: string;
  readonly #temporal: typeof Temporal | undefined;

  private constructor(name: string, temporal: typeof Temporal | undefined) {
    this.name = name;
    this.#temporal = temporal;
  }

  /**
   * Rejects with `INVALID_OPTION` for names that the runtime does not know. The Temporal polyfill
   * (Node 24 has no Temporal) takes 32 ms of CPU to load (1.0.8, measured), so UTC, the common case, does not use it.
   */
  static async load(name: string): Promise<TimeZone> {
    if (name === 'UTC') return new TimeZone(name, undefined);
    const { Temporal: temporal } = await import('temporal-polyfill');
    try {
      // Temporal also accepts a date with a zone; only zone names are valid here.
      new Intl.DateTimeFormat('en-US', { timeZone: name });
      new temporal.ZonedDateTime(0n, name);
    } catch (cause) {
      throw new TokenMeterError('INVALID_OPTION', `query: unknown timeZone ${name}`, {
        value: name,
        allowed: 'an IANA time zone such as Europe/Berlin',
        cause,
      });
    }
    return new TimeZone(name, temporal);
  }

  offsetMs(time: number): number {
    return this.#at(time, (local) => local.offsetNanoseconds / 1e6) ?? 0;
  }

  /** Splits the range where the offset changes. */
  segments(fromMs: number, toMs: number): readonly TimeSegment[] {
    const segments: TimeSegment[] = [];
    for (let start = fromMs; start < toMs;) {
      const offsetMs = this.offsetMs(start);
      let end = start;
      // A zone may change its abbreviation or rules without changing its offset.
      do end = this.#nextChange(end);
      while (end < toMs && this.offsetMs(end) === offsetMs);
      segments.push({ fromMs: start, toMs: Math.min(end, toMs), offsetMs });
      start = end;
    }
    return segments;
  }

  /**
   * Start of a local day, given in days since 1970. If midnight is skipped, the first instant after
   * it.
   */
  startOfDay(day: number): number {
    if (this.#temporal === undefined) return day * DAY_MS;
    return this.#temporal.PlainDate.from(dayLabel(day)).toZonedDateTime(this.name)
      .epochMilliseconds;
  }

  #nextChange(time: number): number {
    return (
      this.#at(time, (local) => local.getTimeZoneTransition('next')?.epochMilliseconds) ?? Infinity
    );
  }

  #at<T>(time: number, read: (local: Temporal.ZonedDateTime) => T): T | undefined {
    if (this.#temporal === undefined) return undefined;
    const instant = this.#temporal.Instant.fromEpochMilliseconds(Math.floor(time));
    return read(instant.toZonedDateTimeISO(this.name));
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
