import type { AlertGroup, AlertLevel, AlertMetric } from './alert-rule.ts';

/** A change of level: a threshold was crossed, or the value came back. */
export interface UsageAlert {
  /** One for each change, the same from whichever instance of a fleet it comes. */
  readonly id: string;
  readonly rule: string;
  readonly level: AlertLevel;
  readonly previousLevel: AlertLevel;
  readonly metric: AlertMetric;
  readonly by: AlertGroup;
  /** The value of `by`; `null` for all calls, and for calls without one. */
  readonly key: string | null;
  /** Absent where the window holds no call. */
  readonly value?: number;
  /** Part of the cost is unknown: the value is the least that was spent. */
  readonly atLeast?: true;
  /** Of the level; absent at level `ok` and for missing data. */
  readonly threshold?: number;
  readonly noData: boolean;
  readonly windowMs: number;
  /** RFC 3339. */
  readonly time: string;
}
