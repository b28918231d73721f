/** Costs of one model on one day, after what was explained before. Nano-dollars. */
export interface CostDay {
  readonly day: string;
  readonly bill: number;
  readonly ledger: number;
  /** What roundings can make. */
  readonly tolerance: number;
  /** Counts that the cost is made of, by kind: of the ledger. */
  readonly counts: ReadonlyMap<string, number>;
}

/** Prices and sums are rounded: this share of a cost is no difference. */
const SLACK = 1e-4;

export function isSameCost(actual: number, expected: number, tolerance: number): boolean {
  return Math.abs(actual - expected) <= tolerance + SLACK * Math.abs(expected);
}

export function gapDays(days: readonly CostDay[]): readonly CostDay[] {
  return days.filter(({ bill, ledger, tolerance }) => Math.abs(bill - ledger) > tolerance);
}
