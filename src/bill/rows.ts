import { COST } from './bill.ts';
import type { Series } from './comparison.ts';

/** One figure of both sides. */
export interface Row {
  readonly day: string;
  readonly model: string;
  /** `cost_usd`, or the name of a quantity. */
  readonly kind: string;
  /** Absent: nothing is recorded. */
  readonly ledger?: number;
  /** Absent: the bill has nothing. */
  readonly bill?: number;
  /** bill − ledger. */
  readonly gap: number;
  /** `rounding`: a difference that the roundings of both sides can make. */
  readonly state: 'equal' | 'rounding' | 'gap';
}

/** Seconds of audio are fractions. */
const SMALLEST = 1e-6;

export function rowsOf(series: Series): readonly Row[] {
  const { model, days, kinds, hasCost } = series;
  return days
    .flatMap((day) => [
      ...kinds.map((kind): Row | undefined => {
        const ledger = series.ledger.get(day)?.quantities.get(kind);
        const bill = series.bill.get(day)?.quantities.get(kind);
        if (!ledger && !bill) return undefined;
        const gap = (bill ?? 0) - (ledger ?? 0);
        const state = Math.abs(gap) < SMALLEST ? 'equal' : 'gap';
        return { day, model, kind, ...given({ ledger, bill }), gap, state };
      }),
      ...(hasCost ? [costRow(series, day)] : []),
    ])
    .filter((row) => row !== undefined);
}

function costRow(series: Series, day: string): Row | undefined {
  const ledger = series.ledger.get(day)?.cost;
  const bill = series.bill.get(day)?.cost;
  if (ledger === undefined && !bill) return undefined;
  const gap = (bill ?? 0) - (ledger ?? 0);
  const isClose = Math.abs(gap) <= series.tolerance(day);
  const usd = {
    ...(ledger !== undefined && { ledger: ledger / 1e9 }),
    ...(bill !== undefined && { bill: bill / 1e9 }),
  };
  return {
    day,
    model: series.model,
    kind: COST,
    ...usd,
    gap: gap / 1e9,
    state: gap === 0 ? 'equal' : isClose ? 'rounding' : 'gap',
  };
}

function given(values: {
  readonly ledger: number | undefined;
  readonly bill: number | undefined;
}): Pick<Row, 'ledger' | 'bill'> {
  const { ledger, bill } = values;
  return { ...(ledger !== undefined && { ledger }), ...(bill !== undefined && { bill }) };
}
