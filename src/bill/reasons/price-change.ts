import { gapDays, isSameCost, type CostDay } from './cost-days.ts';
import { leastSquares } from './least-squares.ts';

export interface PriceChange {
  /** First and last day of the other price. */
  readonly from: string;
  readonly until: string;
  /** Days with calls before and after these. */
  readonly hasOldPrice: boolean;
  readonly change:
    | { readonly factor: number }
    /** US dollars per million of each kind. */
    | { readonly before: ReadonlyMap<string, number>; readonly now: ReadonlyMap<string, number> };
}

/** With fewer days anything would fit. */
const MIN_DAYS = 3;

/**
 * A price that differs from one day on: the bill is the ledger's cost times a constant, or the counts times
 * constant unit prices, on every day from the first gap to the last. Undefined if neither fits.
 */
export function priceChange(days: readonly CostDay[]): PriceChange | undefined {
  const gaps = gapDays(days);
  const [first, last] = [gaps[0], gaps.at(-1)];
  if (first === undefined || last === undefined) return undefined;
  const used = days.filter(({ ledger, bill }) => ledger > 0 || bill > 0);
  const changed = used.filter(({ day }) => day >= first.day && day <= last.day);
  if (changed.length < MIN_DAYS) return undefined;
  const span = { from: first.day, until: last.day, hasOldPrice: changed.length < used.length };
  const factor = sum(changed, 'bill') / sum(changed, 'ledger');
  if (
    Number.isFinite(factor) &&
    changed.every(({ bill, ledger, tolerance }) => isSameCost(bill, factor * ledger, tolerance))
  ) {
    return { ...span, change: { factor } };
  }
  const now = unitPrices(changed, 'bill');
  const before = unitPrices(changed, 'ledger');
  return now && before && { ...span, change: { before, now } };
}

/** Unit prices that make the costs of all days, if there are any. */
function unitPrices(
  days: readonly CostDay[],
  side: 'bill' | 'ledger',
): ReadonlyMap<string, number> | undefined {
  const kinds = [...new Set(days.flatMap(({ counts }) => [...counts.keys()]))].filter((kind) =>
    days.some(({ counts }) => (counts.get(kind) ?? 0) > 0),
  );
  // Two days more than unknowns, so that a fit means something.
  if (kinds.length === 0 || days.length < kinds.length + 2) return undefined;
  const rows = days.map(({ counts }) => kinds.map((kind) => counts.get(kind) ?? 0));
  const costs = days.map((day) => day[side]);
  const prices = leastSquares(rows, costs);
  if (prices === undefined || prices.some((price) => price < 0)) return undefined;
  const fits = days.every((day, index) => {
    const expected = (rows[index] ?? []).reduce(
      (total, count, k) => total + count * (prices[k] ?? 0),
      0,
    );
    return isSameCost(day[side], expected, day.tolerance);
  });
  if (!fits) return undefined;
  // Nano-dollars each to dollars per million.
  return new Map(kinds.map((kind, k) => [kind, (prices[k] ?? 0) / 1000]));
}

function sum(days: readonly CostDay[], side: 'bill' | 'ledger'): number {
  return days.reduce((total, day) => total + day[side], 0);
}
