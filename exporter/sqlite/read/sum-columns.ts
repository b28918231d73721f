import type { UsageSums } from '../../ledger/queries/usage-sums.ts';
import type { UsageMetric } from '../../ledger/usage-query.ts';
import type { Sum } from '../sums.ts';

const OUTCOMES = [
  ['errors', 'error'],
  ['aborted', 'aborted'],
  ['blocked', 'blocked'],
] as const;

/** What a question sums up of rows. */
export class SumColumns {
  /** In the order of the columns. */
  readonly names: readonly (keyof UsageSums)[];
  readonly select: string;

  constructor(sums: readonly Sum[]) {
    this.names = [...sums.map(({ name }) => name), ...OUTCOMES.map(([name]) => name)];
    const columns = [
      ...sums.map(({ column }) => column),
      ...OUTCOMES.map(([, outcome]) => `iif(outcome = '${outcome}', calls, 0)`),
    ];
    // As doubles: exact up to 2^53, and beyond it no error, which integers of that size would be.
    this.select = columns.map((column) => `CAST(sum(${column}) AS REAL)`).join(', ');
  }
}

export function metricColumn(metric: UsageMetric): string {
  if (metric === 'errors') return "iif(outcome = 'error', calls, 0)";
  if (metric === 'costUsd') return 'cost_nanos';
  return metric.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
