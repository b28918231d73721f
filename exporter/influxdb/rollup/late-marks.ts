import { randomInt, randomUUID } from 'node:crypto';
import type { LineChunk } from '../../spool/line-queue.ts';
import type { RollUpPlace } from './roll-up-place.ts';
import { HOUR_MS, LATE_MS, MARKS_MEASUREMENT } from './roll-up-schema.ts';

const LINE_FEED = 10;
const SPACE = 32;
const ZERO = 48;
const NANOSECOND_DIGITS = 9;
const MAX_KNOWN = 10_000;
const HOUR_NS = 3_600_000_000_000n;

/** Says that a mark is of this process, which knows when its change is done. */
export const MARKER: string = randomUUID().slice(0, 8);
/** Of marks whose calls are on their way. */
export const ON_THE_WAY = 'exporter';

/** Never the same place in an hour twice in one process. */
let offset = BigInt(randomInt(2 ** 41));

/** The line of a mark for the hour that begins at `hourMs`. `erases`: digest of the user whose calls are about to be deleted. */
export function markLine(
  place: RollUpPlace,
  hourMs: number,
  nowMs: number,
  by: string,
  erases?: string,
): string {
  offset = (offset + 1n) % HOUR_NS;
  const time = BigInt(hourMs) * 1_000_000n + offset;
  const note = erases === undefined ? '' : `,erases="${erases}"`;
  return `${place.series(MARKS_MEASUREMENT)} at=${nowMs}i,marker="${by}"${note} ${time}\n`;
}

/** Marks to be written before late calls. */
export class LateMarks {
  readonly #place: RollUpPlace;
  readonly #by: string;
  readonly #now: () => number;
  /** When each hour was marked. */
  readonly #marked = new Map<number, number>();

  constructor(place: RollUpPlace, by: string, now: () => number = Date.now) {
    this.#place = place;
    this.#by = by;
    this.#now = now;
  }

  /** A chunk that no count of lines includes, for what these lines need when they are written now. */
  before(chunks: readonly LineChunk[]): { readonly chunk: LineChunk; stored(): void } | undefined {
    const now = this.#now();
    // A mark of a moment ago still keeps the hour from being summed up.
    const hours = [...lateHours(chunks, now)].filter(
      (hour) => (this.#marked.get(hour) ?? -Infinity) <= now - LATE_MS,
    );
    if (hours.length === 0) return undefined;
    const lines = hours.map((hour) => markLine(this.#place, hour, now, this.#by));
    return {
      chunk: { body: Buffer.from(lines.join('')), lines: 0, multiline: false },
      stored: () => {
        if (this.#marked.size > MAX_KNOWN) this.#marked.clear();
        for (const hour of hours) this.#marked.set(hour, now);
      },
    };
  }
}

/** Starts of the hours whose calls come late when these lines are written now. */
export function lateHours(chunks: readonly LineChunk[], nowMs: number): ReadonlySet<number> {
  const hours = new Set<number>();
  const endSeconds = (Math.floor((nowMs - LATE_MS) / HOUR_MS) * HOUR_MS) / 1000;
  for (const { body } of chunks) {
    let last = -1;
    for (let end = body.indexOf(LINE_FEED); end !== -1; end = body.indexOf(LINE_FEED, end + 1)) {
      const seconds = secondsBefore(body, end);
      // Lines of one moment follow one another.
      if (seconds === undefined || seconds >= endSeconds || seconds === last) continue;
      last = seconds;
      hours.add(Math.floor(seconds / 3600) * HOUR_MS);
    }
  }
  return hours;
}

/** Seconds of the time at the end of a line. A line break inside a string rarely has one before it, and harmlessly. */
function secondsBefore(body: Buffer, end: number): number | undefined {
  let start = end;
  while (start > 0 && isDigit(body[start - 1])) start--;
  if (start === end || body[start - 1] !== SPACE) return undefined;
  let seconds = 0;
  for (let at = start; at < end - NANOSECOND_DIGITS; at++) {
    seconds = seconds * 10 + (body[at] ?? 0) - ZERO;
  }
  return seconds;
}

const isDigit = (byte = 0): boolean => byte >= ZERO && byte < ZERO + 10;
