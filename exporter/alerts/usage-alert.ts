import type { AlertGroup, AlertKind, AlertLevel, AlertMetric } from './alert-rule.ts';

/** A change of level: a threshold was crossed, or the value came back. */
export interface UsageAlert {
  /** One for each change, the same from whichever instance of a fleet it comes. */
  readonly id: string;
  /** The same for all changes of one rule and key: what receivers group them by. */
  readonly incident: string;
  readonly kind: AlertKind | 'budget';
  readonly rule: string;
  readonly level: AlertLevel;
  readonly previousLevel: AlertLevel;
  /** How often this level has been reported before, where the rule repeats it. */
  readonly repeat?: number;
  readonly metric: AlertMetric;
  /** Of a `budget` also what else its accounts are by; `account` where that is several things. */
  readonly by: AlertGroup | 'conversation' | 'provider' | 'account';
  /** The user, model or other value of `by`; `null` for all calls, and for calls without one. */
  readonly key: string | null;
  /** The teams whose calls alone it is about; absent where calls of others may be among them. */
  readonly teams?: readonly string[];
  /** Absent where the window holds no call. For `forecast` the projection. */
  readonly value?: number;
  /** Part of the cost is unknown: the value is the least that was spent. */
  readonly atLeast?: true;
  /** Of the level, in the unit of the value; absent at level `ok` and for missing data. */
  readonly threshold?: number;
  /** `forecast`: from the start of the month until now. */
  readonly used?: number;
  /** `forecast`: the range that holds the end of the month with a chance of 80 %. */
  readonly low?: number;
  readonly high?: number;
  /** `spike`: median of the same time in past weeks. */
  readonly usual?: number;
  /** `budget`: its limit; `to` is when its window ends. */
  readonly limit?: number;
  readonly noData: boolean;
  /** What the value is of, RFC 3339; `to` is exclusive. */
  readonly from: string;
  readonly to: string;
  /** From `from` to `to`. */
  readonly windowMs: number;
  /** Of the rule: in which its days and months begin. */
  readonly timeZone: string;
  /** RFC 3339. */
  readonly time: string;
}
