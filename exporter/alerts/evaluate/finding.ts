import type { UsageRow } from '../../ledger/usage-query.ts';
import type { AlertMetric } from '../alert-rule.ts';

/** What the ledger says about one user, one model, or all calls together. */
export interface AlertFinding {
  /** The user, model or other value of `by`; `null` for all calls, and for calls without one. */
  readonly key: string | null;
  /** Absent: no call of the window has one, there was no call, or there is too little history. */
  readonly value?: number;
  /** Part of the cost is unknown: the value is the least that was spent. */
  readonly atLeast?: true;
  readonly noData: boolean;
  /** As of `UsageAlert`. @default the window of the rule, until now */
  readonly from?: string;
  readonly to?: string;
  readonly used?: number;
  readonly low?: number;
  readonly high?: number;
  readonly usual?: number;
  /** In place of those of the rule. */
  readonly thresholds?: AlertThresholds;
}

export type AlertThresholds = Readonly<Partial<Record<'warning' | 'alert', number>>>;

export type MetricNumbers = Partial<Pick<UsageRow, AlertMetric>> &
  Pick<UsageRow, 'unpricedCalls' | 'partialCostCalls'>;

export function findingOf(
  metric: AlertMetric,
  key: string | null,
  numbers: MetricNumbers,
): AlertFinding {
  const value = numbers[metric];
  const isPartial = numbers.unpricedCalls + numbers.partialCostCalls > 0;
  return {
    key,
    noData: false,
    ...(value !== undefined && { value }),
    ...(value !== undefined && metric === 'costUsd' && isPartial && { atLeast: true }),
  };
}
