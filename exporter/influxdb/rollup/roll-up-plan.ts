import type { CheckedQuery } from '../../ledger/queries/checked-query.ts';
import { isDimensionKey } from '../../ledger/queries/dimension-key.ts';
import type { SplitQuery } from '../../ledger/queries/gather.ts';
import type { TimeBuckets } from '../../ledger/queries/time-buckets.ts';
import { slices, type TimeRange } from '../read/time-ranges.ts';
import { type KeptCalls, shortHours } from './kept-calls.ts';
import { erasedBy, type IsErased } from './erasure-notes.ts';
import type { RollUpPoints } from './roll-up-points.ts';
import { hasUnknownCalls, type RollUpState, unknownErasures } from './roll-up-state.ts';
import { DAY_MS, HOUR_MS, type TableName } from './roll-up-schema.ts';
import { DOCTOR_SERVICE } from '../usage-schema.ts';
import { CONVERSATIONS, FEW, USERS } from './hour-tables.ts';

/** Which parts of a range are read from days, from hours, and from the calls themselves. */
export interface RollUpPlan {
  readonly days: readonly TimeRange[];
  readonly hours: readonly TimeRange[];
  readonly calls: readonly TimeRange[];
}

/** The table that has all that the query asks about; undefined where only calls have it. */
export function tableFor({
  dimensions,
  filters,
  percentiles,
}: CheckedQuery): Exclude<TableName, 'sketches'> | undefined {
  const asked = [...dimensions, ...filters.map(({ dimension }) => dimension)];
  const isDoctors = filters.some(
    ({ dimension, values }) => dimension === 'service' && values.includes(DOCTOR_SERVICE),
  );
  if (isDoctors) return undefined;
  const isOnly = (names: readonly string[]): boolean =>
    asked.every((dimension) => names.includes(dimension));
  if (isOnly([...FEW, ...asked.filter(isDimensionKey)])) return 'cells';
  if (percentiles) return undefined;
  if (isOnly(USERS)) return 'users';
  return isOnly(CONVERSATIONS) ? 'conversations' : undefined;
}

/** Roll-ups of a range that count: marks that came after them make them wrong. */
export class ValidRollUps {
  /** What tells a day's roll-up from an earlier one, by its start. */
  readonly days: ReadonlyMap<number, string>;
  readonly hours: ReadonlyMap<number, string>;
  /** The time whose calls are gone. */
  readonly gone: TimeRange | undefined;
  /** Hours whose sums lack calls: those came late, when others were gone. */
  readonly incomplete: readonly number[];
  /** Whose names do not count in an hour whose calls are gone. */
  readonly erased: ReadonlyMap<number, IsErased>;

  private constructor({ days, hours, gone, incomplete, erased }: Partial<ValidRollUps>) {
    this.days = days ?? new Map<number, string>();
    this.hours = hours ?? new Map<number, string>();
    this.gone = gone;
    this.incomplete = incomplete ?? [];
    this.erased = erased ?? new Map<number, IsErased>();
  }

  static async load(
    points: RollUpPoints,
    { fromMs, toMs }: TimeRange,
    kept: KeptCalls | undefined,
    countCalls: (range: TimeRange) => Promise<ReadonlyMap<number, number>>,
  ): Promise<ValidRollUps> {
    const keptFromMs = kept?.fromMs ?? 0;
    const firstMs = kept?.firstMs ?? Infinity;
    const gone = keptFromMs > firstMs ? { fromMs: firstMs, toMs: keptFromMs } : undefined;
    const range = {
      fromMs: Math.floor(fromMs / DAY_MS) * DAY_MS,
      toMs: Math.ceil(toMs / DAY_MS) * DAY_MS,
    };
    const [days, hours] = await Promise.all([points.days(range), points.hours(range)]);
    if (hours.size === 0 && days.size === 0) return new ValidRollUps({ gone });
    let marks = await points.marks(range);
    const isChanged = ([hour, state]: readonly [number, RollUpState]): boolean =>
      state.marks !== (marks.get(hour)?.length ?? 0);
    const changed = [...hours].filter(isChanged).map(([hour]) => hour);
    let short: ReadonlySet<number> = new Set<number>();
    if (kept !== undefined && changed.length > 0) {
      const fromMs = changed.reduce((a, b) => Math.min(a, b));
      const toMs = changed.reduce((a, b) => Math.max(a, b)) + HOUR_MS;
      const counts = await countCalls({ fromMs, toMs });
      marks = await points.marks(range);
      const compared = new Map([...hours].filter(([hour]) => hour >= fromMs && hour < toMs));
      short = await shortHours(points, compared, counts, marks);
    }
    // Nothing but the roll-up is left of an hour whose calls are gone.
    const isGone = (hour: number): boolean => hour < keptFromMs || short.has(hour);
    const marksAt = (hour: number): number => marks.get(hour)?.length ?? 0;
    const ofDays = new Map<number, number>();
    for (const [hour, { length: count }] of marks) {
      const day = Math.floor(hour / DAY_MS) * DAY_MS;
      ofDays.set(day, (ofDays.get(day) ?? 0) + count);
    }
    const goneHours = [...hours].filter(([hour]) => isGone(hour));
    const erased = new Map(
      goneHours
        .map(([hour, state]) => [hour, unknownErasures(state, marks.get(hour))] as const)
        .filter(([, notes]) => notes.length > 0),
    );
    const valid = (
      states: ReadonlyMap<number, RollUpState>,
      isValid: (start: number, state: RollUpState) => boolean,
    ): ReadonlyMap<number, string> =>
      new Map(
        [...states]
          .filter(([at, state]) => isValid(at, state))
          .map(([at, { marks: known, calls, revision }]) => [
            at,
            `${known}/${calls}/${revision}/${erased.get(at)?.length ?? 0}`,
          ]),
      );
    return new ValidRollUps({
      days: valid(days, (day, state) => state.marks === (ofDays.get(day) ?? 0)),
      hours: valid(hours, (hour, state) => isGone(hour) || state.marks === marksAt(hour)),
      gone,
      incomplete: goneHours
        .filter(([hour, state]) => hasUnknownCalls(state, marks.get(hour)))
        .map(([hour]) => hour),
      erased: new Map([...erased].map(([hour, notes]) => [hour, erasedBy(notes)])),
    });
  }
}

/** Whole hours whose roll-ups count, and what lies between and around them; undefined for none. */
export function splitAt(
  { fromMs, toMs }: TimeRange,
  { days, hours }: ValidRollUps,
): SplitQuery | undefined {
  const kept: TimeRange[] = [];
  const states: string[] = [];
  const starts = [...days.keys(), ...hours.keys()];
  const first = Math.max(
    fromMs,
    starts.reduce((a, b) => Math.min(a, b), Infinity),
  );
  const end = Math.min(toMs, starts.reduce((a, b) => Math.max(a, b), -Infinity) + DAY_MS);
  for (let hour = Math.ceil(first / HOUR_MS) * HOUR_MS; hour + HOUR_MS <= end; hour += HOUR_MS) {
    const state = days.get(Math.floor(hour / DAY_MS) * DAY_MS) ?? hours.get(hour);
    if (state === undefined) continue;
    add(kept, hour, hour + HOUR_MS);
    states.push(state);
  }
  if (kept.length === 0) return undefined;
  const rest: TimeRange[] = [];
  let at = fromMs;
  for (const range of kept) {
    add(rest, at, range.fromMs);
    at = range.toMs;
  }
  add(rest, at, toMs);
  return { kept, rest, state: states.join() };
}

/** Whole days, then whole hours, where none of them has a border of the query's buckets inside. */
export function planOf(
  { fromMs, toMs, unit }: CheckedQuery,
  valid: ValidRollUps,
  buckets: TimeBuckets,
): RollUpPlan {
  const plan = { days: [] as TimeRange[], hours: [] as TimeRange[], calls: [] as TimeRange[] };
  if (valid.days.size === 0 && valid.hours.size === 0) {
    return { ...plan, calls: [{ fromMs, toMs }] };
  }
  const isOneBucket = (start: number, width: number): boolean =>
    unit === undefined || buckets.at(start) === buckets.at(start + width - 1);
  const isInside = (start: number, width: number): boolean =>
    start >= fromMs && start + width <= toMs;
  const [first] = [...valid.days.keys(), ...valid.hours.keys()].toSorted((a, b) => a - b);
  const last = Math.max(
    ...[...valid.days.keys()].map((day) => day + DAY_MS),
    ...[...valid.hours.keys()].map((hour) => hour + HOUR_MS),
  );
  const from = Math.max(fromMs, first ?? fromMs);
  const to = Math.min(toMs, last);
  if (from > fromMs) add(plan.calls, fromMs, Math.min(from, toMs));
  for (const { fromMs: day } of slices(
    { fromMs: Math.floor(from / DAY_MS) * DAY_MS, toMs: to },
    DAY_MS,
  )) {
    if (valid.days.has(day) && isInside(day, DAY_MS) && isOneBucket(day, DAY_MS)) {
      add(plan.days, day, day + DAY_MS);
      continue;
    }
    for (let hour = day; hour < day + DAY_MS; hour += HOUR_MS) {
      const [start, end] = [Math.max(hour, from), Math.min(hour + HOUR_MS, to)];
      if (start >= end) continue;
      const isWhole =
        valid.hours.has(hour) && isInside(hour, HOUR_MS) && isOneBucket(hour, HOUR_MS);
      add(isWhole ? plan.hours : plan.calls, start, end);
    }
  }
  if (to < toMs) add(plan.calls, Math.max(to, fromMs), toMs);
  return plan;
}

/** Joins what follows on without a gap. */
function add(ranges: TimeRange[], fromMs: number, toMs: number): void {
  if (fromMs >= toMs) return;
  const last = ranges.at(-1);
  if (last?.toMs === fromMs) ranges[ranges.length - 1] = { fromMs: last.fromMs, toMs };
  else ranges.push({ fromMs, toMs });
}
