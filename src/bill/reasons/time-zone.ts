import type { Comparison, Series } from '../comparison.ts';
import type { LedgerSums } from '../ledger-figures.ts';

export interface ZoneFit {
  readonly offsetHours: number;
  readonly ledger: ReadonlyMap<string, LedgerSums>;
}

/** Offsets of all time zones with whole hours. */
const OFFSETS = Array.from({ length: 27 }, (_, index) => index - 12).filter((hours) => hours !== 0);

/**
 * Time zones in whose days the ledger equals the bill, on every day and for every figure. Usage that only
 * moves to the neighbouring day has the same sum.
 */
export function zonesThatFit(comparison: Comparison, series: Series): readonly ZoneFit[] {
  return OFFSETS.map((offsetHours) => ({
    offsetHours,
    ledger: comparison.shifted(series, offsetHours),
  })).filter(({ ledger }) => isEqual(series, ledger));
}

function isEqual(series: Series, ledger: ReadonlyMap<string, LedgerSums>): boolean {
  const { days, kinds, bill, hasCost, tolerance } = series;
  // Costs alone are compared only where there is nothing else.
  if (kinds.length === 0) {
    return (
      hasCost &&
      days.every(
        (day) =>
          Math.abs((bill.get(day)?.cost ?? 0) - (ledger.get(day)?.cost ?? 0)) <= tolerance(day),
      )
    );
  }
  return days.every((day) =>
    kinds.every(
      (kind) =>
        (bill.get(day)?.quantities.get(kind) ?? 0) === (ledger.get(day)?.quantities.get(kind) ?? 0),
    ),
  );
}

/** `UTC+8`. */
export function zoneName(offsetHours: number): string {
  return `UTC${offsetHours < 0 ? '−' : '+'}${Math.abs(offsetHours)}`;
}
