import { dimensionOfKey } from '../ledger/queries/dimension-key.ts';
import type { UsageFilter, UsageQuery, UsageReader, UsageRow } from '../ledger/usage-query.ts';
import type { AlertGroup, AlertMetric, AlertRule } from './alert-rule.ts';

/** What the ledger says about one user, model, team or value of a dimension, or all calls together. */
export interface AlertFinding {
  /** The value of `by`; `null` for all calls, and for calls without one. */
  readonly key: string | null;
  /** Absent: no call of the window has one, or there was no call. */
  readonly value?: number;
  /** Part of the cost is unknown: the value is the least that was spent. */
  readonly atLeast?: true;
  readonly noData: boolean;
}

/** Most values a rule can watch separately; the rest are smaller than all of these. */
const MAX_KEYS = 1000;

/**
 * Asks the ledger, not this process: a threshold holds for the whole fleet and survives restarts.
 * Each key of `watched` is among the findings. Rejects as the reader does.
 */
export async function evaluateRule(
  rule: AlertRule,
  reader: Pick<UsageReader, 'summary'>,
  now: Date,
  watched: ReadonlySet<string | null>,
  signal?: AbortSignal,
): Promise<readonly AlertFinding[]> {
  const group = rule.by === 'all' ? undefined : rule.by;
  const query: UsageQuery = {
    from: new Date(now.getTime() - rule.windowMs),
    to: now,
    orderBy: rule.metric,
    limit: MAX_KEYS,
    ...(group && { groupBy: [group] }),
    ...(rule.filter && { filter: rule.filter }),
    ...(signal && { signal }),
  };
  const { rows, total } = await reader.summary(query);
  const found = new Map<string | null, AlertFinding>();
  const add = (some: readonly UsageRow[]): void => {
    for (const row of some) {
      const key = (group && row[group]) ?? null;
      if (!row.isOther) found.set(key, findingOf(rule, key, row));
    }
  };
  if (total.calls === 0) found.set(null, { key: null, noData: true });
  else if (group) add(rows);
  else found.set(null, findingOf(rule, null, total));
  const isCut = rows.some((row) => row.isOther);
  const missing = [...watched].filter((key) => !found.has(key)).slice(0, MAX_KEYS);
  // Every call has a model.
  const keys = missing.filter((key) => group !== 'model' || key !== null);
  if (group && isCut && keys.length > 0) {
    const filter = withKeys(rule.filter, group, keys);
    add((await reader.summary({ ...query, filter })).rows);
  }
  // Who has made no call in the window has used nothing in it.
  for (const key of missing) if (!found.has(key)) found.set(key, { key, noData: false, value: 0 });
  return [...found.values()];
}

function withKeys(
  filter: UsageFilter | undefined,
  group: Exclude<AlertGroup, 'all'>,
  keys: readonly (string | null)[],
): UsageFilter {
  const name = dimensionOfKey(group);
  if (name === undefined) return { ...filter, [group]: keys };
  return { ...filter, dimensions: { ...filter?.dimensions, [name]: keys } };
}

type Numbers = Partial<Pick<UsageRow, AlertMetric>> &
  Pick<UsageRow, 'unpricedCalls' | 'partialCostCalls'>;

function findingOf(rule: AlertRule, key: string | null, numbers: Numbers): AlertFinding {
  const value = numbers[rule.metric];
  const isPartial = numbers.unpricedCalls + numbers.partialCostCalls > 0;
  return {
    key,
    noData: false,
    ...(value !== undefined && { value }),
    ...(value !== undefined && rule.metric === 'costUsd' && isPartial && { atLeast: true }),
  };
}
