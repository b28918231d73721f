import type { Row } from '../api/contract.ts';
import { formatCompact, formatCost, formatMoney } from '../formats.ts';
import type { Measure } from '../view/view.ts';

export const measureFormats: Readonly<Record<Measure, (value: number | undefined) => string>> = {
  total_tokens: formatCompact,
  cost_usd: formatMoney,
  calls: formatCompact,
};

type Measured = Pick<Row, Measure | 'partial_cost_calls'>;

/** A row's value of the measure; a cost may be a lower bound. */
export function formatMeasure(row: Measured, measure: Measure): string {
  return measure === 'cost_usd' ? formatCost(row) : measureFormats[measure](row[measure]);
}
