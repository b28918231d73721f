import type { UsageSums } from '../../ledger/queries/usage-sums.ts';
import type { UsageMetric } from '../../ledger/usage-query.ts';
import { SUMS } from '../roll-up.ts';

const camel = (name: string): string =>
  name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

/** Sums of a row, in the order of its columns. */
export const SUM_NAMES: readonly (keyof UsageSums)[] = [
  ...SUMS.map(camel),
  'errors',
  'aborted',
  'blocked',
] as (keyof UsageSums)[];

/** In the order of `SUM_NAMES`. */
const NUMBERS = [
  ...SUMS,
  ...['error', 'aborted', 'blocked'].map((outcome) => `iif(outcome = '${outcome}', calls, 0)`),
];
/** As doubles: exact up to 2^53, and beyond it no error, which integers of that size would be. */
export const SELECT_NUMBERS: string = NUMBERS.map((number) => `CAST(${number} AS REAL)`).join(', ');
export const SELECT_SUMS: string = NUMBERS.map((number) => `CAST(sum(${number}) AS REAL)`).join(
  ', ',
);

export function metricColumn(metric: UsageMetric): string {
  if (metric === 'errors') return "iif(outcome = 'error', calls, 0)";
  if (metric === 'costUsd') return 'cost_nanos';
  return metric.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
