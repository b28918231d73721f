import type { UsageQuery, UsageReader, UsageRow } from '../ledger/usage-query.ts';
import type { AlertLevel, AlertMetric, AlertRule } from './alert-rule.ts';

/** What one rule says of one user, one model, or all calls together. */
export interface AlertFinding {
  readonly level: AlertLevel;
  /** The user or model; `null` for all calls, and for calls without a user. */
  readonly key: string | null;
  /** Absent: no call of the window told it (or there was no call). */
  readonly value?: number;
  /** The threshold that was reached; absent at level `ok` and for missing data. */
  readonly threshold?: number;
  readonly noData: boolean;
}

/** Most values a rule can watch one by one; the rest are smaller than all of these. */
const MAX_KEYS = 1000;

function levelOf(
  rule: AlertRule,
  value: number | undefined,
): Pick<AlertFinding, 'level' | 'threshold'> {
  if (value === undefined) return { level: 'ok' };
  if (rule.alert !== undefined && value >= rule.alert)
    return { level: 'alert', threshold: rule.alert };
  if (rule.warning !== undefined && value >= rule.warning) {
    return { level: 'warning', threshold: rule.warning };
  }
  return { level: 'ok' };
}

function finding(
  rule: AlertRule,
  key: string | null,
  numbers: Partial<Pick<UsageRow, AlertMetric>>,
): AlertFinding {
  const value = numbers[rule.metric];
  return { key, noData: false, ...levelOf(rule, value), ...(value === undefined ? {} : { value }) };
}

/**
 * Asks the ledger, not this process: a threshold holds for the whole fleet and survives restarts.
 * Rejects as the reader does.
 */
export async function evaluateRule(
  rule: AlertRule,
  reader: Pick<UsageReader, 'summary'>,
  now: Date,
  options: { readonly isRecording: boolean; readonly signal?: AbortSignal },
): Promise<readonly AlertFinding[]> {
  const group = rule.by === 'user' || rule.by === 'model' ? rule.by : undefined;
  const query: UsageQuery = {
    from: new Date(now.getTime() - rule.windowMs),
    to: now,
    orderBy: rule.metric,
    limit: MAX_KEYS,
    ...(group && { groupBy: [group] }),
    ...(rule.filter && { filter: rule.filter }),
    ...(options.signal && { signal: options.signal }),
  };
  const { rows, total } = await reader.summary(query);
  if (total.calls === 0) {
    // Recording switched off explains an empty window; that is not a fault to report.
    const level = options.isRecording ? (rule.whenNoData ?? 'ok') : 'ok';
    return [{ level, key: null, noData: true }];
  }
  if (!group) return [finding(rule, null, total)];
  return rows.filter((row) => !row.isOther).map((row) => finding(rule, row[group] ?? null, row));
}
