import type { UsageSums } from '../../ledger/queries/usage-sums.ts';
import type { UsageMetric } from '../../ledger/usage-query.ts';
import { SUM_NAMES, SUMS } from '../roll-up.ts';

/** Sums of a row, in the order of its columns. */
export const ROW_SUMS: readonly (keyof UsageSums)[] = [
  ...SUM_NAMES,
  'errors',
  'aborted',
  'blocked',
];

/** In the order of `ROW_SUMS`. */
const NUMBERS = [
  ...SUMS,
  ...['error', 'aborted', 'blocked'].map((outcome) => `iif(outcome = '${outcome}', calls, 0)`),
];
/** As doubles: exact up to 2^53, and beyond it no error, which integers of that size would be. */
export const SELECT_SUMS: string = NUMBERS.map((number) => `CAST(sum(${number}) AS REAL)`).join(
  ', ',
);

export function metricColumn(metric: UsageMetric): string {
  if (metric === 'errors') return "iif(outcome = 'error', calls, 0)";
  if (metric === 'costUsd') return 'cost_nanos';
  return metric.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
