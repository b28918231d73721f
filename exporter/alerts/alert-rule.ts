import { TokenMeterError } from '../../src/errors.ts';
import type { UsageFilter } from '../ledger/usage-query.ts';

/** What a rule sums up over its window. */
export type AlertMetric = 'totalTokens' | 'inputTokens' | 'outputTokens' | 'costUsd' | 'calls';

export type AlertLevel = 'ok' | 'warning' | 'alert';

/** A threshold on the ledger. It tells people; it never blocks a call. */
export interface AlertRule {
  /** Unique; names the rule on the dashboard, in events and in webhooks. */
  readonly name: string;
  readonly metric: AlertMetric;
  /** `user` and `model` compare each user or model by itself. @default 'all' */
  readonly by?: 'user' | 'model' | 'all';
  /** Only these calls: one user, one model, one service. */
  readonly filter?: UsageFilter;
  /** Length of the rolling window, at least one minute. */
  readonly windowMs: number;
  /** Reached or passed: level `warning`. Tokens, US dollars or calls. */
  readonly warning?: number;
  /** Reached or passed: level `alert`. Not below `warning`. */
  readonly alert?: number;
  /** Level when the window holds no call at all while recording is on. @default 'ok' */
  readonly whenNoData?: AlertLevel;
}

const METRICS: readonly string[] = [
  'totalTokens',
  'inputTokens',
  'outputTokens',
  'costUsd',
  'calls',
] satisfies AlertMetric[];
const LEVELS: readonly string[] = ['ok', 'warning', 'alert'] satisfies AlertLevel[];
const GROUPS: readonly string[] = ['user', 'model', 'all'];
const MINUTE_MS = 60_000;

function refuse(key: string, value: unknown, allowed: string): never {
  throw new TokenMeterError('INVALID_OPTION', `alert rule: ${key} must be ${allowed}`, {
    value,
    allowed,
  });
}

function checkThreshold(rule: AlertRule, key: 'warning' | 'alert'): void {
  const value = rule[key];
  if (value !== undefined && !(Number.isFinite(value) && value > 0)) {
    refuse(key, value, 'a number above 0');
  }
}

/** @throws TokenMeterError `INVALID_OPTION` naming the first wrong member of the first wrong rule. */
export function checkAlertRules(rules: readonly AlertRule[]): void {
  const names = new Set<string>();
  for (const rule of rules) {
    if (typeof rule.name !== 'string' || rule.name === '' || names.has(rule.name)) {
      refuse('name', rule.name, 'a unique, non-empty string');
    }
    names.add(rule.name);
    if (!METRICS.includes(rule.metric)) refuse('metric', rule.metric, METRICS.join(', '));
    if (!GROUPS.includes(rule.by ?? 'all')) refuse('by', rule.by, GROUPS.join(', '));
    if (!(Number.isFinite(rule.windowMs) && rule.windowMs >= MINUTE_MS)) {
      refuse('windowMs', rule.windowMs, `a number of milliseconds from ${MINUTE_MS}`);
    }
    checkThreshold(rule, 'warning');
    checkThreshold(rule, 'alert');
    if (!LEVELS.includes(rule.whenNoData ?? 'ok')) {
      refuse('whenNoData', rule.whenNoData, LEVELS.join(', '));
    }
    const { warning, alert, whenNoData = 'ok' } = rule;
    if (warning === undefined && alert === undefined && whenNoData === 'ok') {
      refuse('warning', warning, 'given, or alert, or whenNoData');
    }
    if (warning !== undefined && alert !== undefined && alert < warning) {
      refuse('alert', alert, `at least warning (${warning})`);
    }
  }
}
