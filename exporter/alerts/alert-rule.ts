import type { DimensionKey, UsageFilter } from '../ledger/usage-query.ts';

/** What a rule sums up over its window. */
export type AlertMetric = 'totalTokens' | 'inputTokens' | 'outputTokens' | 'costUsd' | 'calls';

export type AlertLevel = 'ok' | 'warning' | 'alert';

/** What is evaluated separately. */
export type AlertGroup = 'user' | 'model' | 'team' | DimensionKey | 'all';

/** What the thresholds of a rule are compared with. */
export type AlertKind = 'threshold' | 'forecast' | 'spike';

/** What all rules have. A rule informs; it never blocks a call. */
interface AnyRule {
  /** Unique; names the rule on the dashboard, in events and in messages. */
  readonly name: string;
  readonly metric: AlertMetric;
  /** Each user, model, team or value of a dimension is evaluated separately. @default 'all' */
  readonly by?: AlertGroup;
  /** Only these calls. */
  readonly filter?: UsageFilter;
  /** Level `warning` from this value on. */
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
  /**
   * Reports a level that lasts again after this time, until somebody acknowledges it. Ten minutes to
   * 366 days. @default never
   */
  readonly repeatMs?: number;
  /** IANA time zone of months, weekdays and messages. @default 'UTC' */
  readonly timeZone?: string;
}

/** A sum over a sliding window. Thresholds are tokens, US dollars or calls. */
export interface ThresholdRule extends AnyRule {
  /** @default 'threshold' */
  readonly kind?: 'threshold';
  /** Length of the sliding window: a minute to 366 days. */
  readonly windowMs: number;
  /** Level when the window holds no call at all while recording is on. @default 'ok' */
  readonly whenNoData?: AlertLevel;
}

/**
 * What the calendar month is projected to hold at its end. Thresholds are tokens, US dollars or
 * calls. Without 14 days of history nothing is reported.
 */
export interface ForecastRule extends AnyRule {
  readonly kind: 'forecast';
}

/**
 * A sum over a sliding window that is unusual for its time of the week. Thresholds are distances from
 * the median of the same time in past weeks, in robust standard deviations (1.4826 MAD). Without
 * four weeks of history nothing is reported.
 */
export interface SpikeRule extends AnyRule {
  readonly kind: 'spike';
  /** Ten minutes to a day. @default an hour */
  readonly windowMs?: number;
  /** Tokens, US dollars or calls that the window must hold at least to be a spike. */
  readonly minimum: number;
}

/** A condition on the ledger. */
export type AlertRule = ThresholdRule | ForecastRule | SpikeRule;
