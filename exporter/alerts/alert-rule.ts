import type { DimensionKey, UsageFilter } from '../ledger/usage-query.ts';

/** What a rule sums up over its window. */
export type AlertMetric = 'totalTokens' | 'inputTokens' | 'outputTokens' | 'costUsd' | 'calls';

export type AlertLevel = 'ok' | 'warning' | 'alert';

export type AlertGroup = 'user' | 'model' | 'team' | DimensionKey | 'all';

/** A threshold on the ledger. It informs; it never blocks a call. */
export interface AlertRule {
  /** Unique; names the rule on the dashboard, in events and in webhooks. */
  readonly name: string;
  readonly metric: AlertMetric;
  /** Each user, model, team or value of a dimension is evaluated separately. @default 'all' */
  readonly by?: AlertGroup;
  /** Only these calls. */
  readonly filter?: UsageFilter;
  /** Length of the sliding window: a minute to 366 days. */
  readonly windowMs: number;
  /** Level `warning` from this value on. Tokens, US dollars or calls. */
  readonly warning?: number;
  /** Level `alert` from this value on. Not below `warning`. */
  readonly alert?: number;
  /**
   * How long a level must hold before it is reported. A level that falls is reported at once.
   * @default 0
   */
  readonly forMs?: number;
  /**
   * A reported level is left only when the value is below its threshold by this share, from 0 to
   * less than 1. @default 0
   */
  readonly hysteresis?: number;
  /** Level when the window holds no call at all while recording is on. @default 'ok' */
  readonly whenNoData?: AlertLevel;
}
