import type { SplitQuery, TimeRange } from '../../ledger/queries/gather.ts';
import type { CellMarks } from './cell-marks.ts';

const HOUR_MS = 3_600_000;
/** The calls of fewer hours are read at once. */
const MIN_KEPT_HOURS = 3;

/** Whole hours whose last insert is over for long, and the rest; undefined where there are none. */
export function keptHours(
  { fromMs, toMs }: TimeRange,
  { hours, recent, stateOf }: CellMarks,
): SplitQuery | undefined {
  if (recent === undefined || hours.toMs - hours.fromMs < MIN_KEPT_HOURS * HOUR_MS) {
    return undefined;
  }
  const kept: TimeRange[] = [];
  const rest: TimeRange[] = [];
  const add = (ranges: TimeRange[], from: number, to: number): void => {
    if (from < to) ranges.push({ fromMs: from, toMs: to });
  };
  add(rest, fromMs, hours.fromMs);
  let at = hours.fromMs;
  for (const hour of recent) {
    add(kept, at, hour);
    add(rest, hour, hour + HOUR_MS);
    at = hour + HOUR_MS;
  }
  add(kept, at, hours.toMs);
  add(rest, hours.toMs, toMs);
  return kept.length === 0 ? undefined : { kept, rest, state: stateOf('hourly') };
}
