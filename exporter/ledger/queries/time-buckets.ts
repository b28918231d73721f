import type { CheckedQuery } from './checked-query.ts';
import type { TimeSegment } from './time-zone.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** Local bucket of an instant of a segment, as `Cells` has it. */
export function bucketIn(
  unit: CheckedQuery['unit'],
  { offsetMs }: Pick<TimeSegment, 'offsetMs'>,
  ms: number,
): number | undefined {
  if (unit === undefined) return undefined;
  if (unit === 'day') return Math.floor((ms + offsetMs) / DAY_MS);
  return Math.floor((ms + offsetMs) / HOUR_MS) * HOUR_MS - offsetMs;
}

/** Local buckets of the instants of a query. */
export class TimeBuckets {
  readonly #unit: CheckedQuery['unit'];
  readonly #segments: readonly TimeSegment[];

  constructor({ unit, zone, fromMs, toMs }: CheckedQuery) {
    this.#unit = unit;
    this.#segments = unit === undefined ? [] : zone.segments(fromMs, toMs);
  }

  at(ms: number): number | undefined {
    const segment = this.#segments.find(({ toMs }) => ms < toMs) ?? this.#segments.at(-1);
    return bucketIn(this.#unit, segment ?? { offsetMs: 0 }, ms);
  }
}
