import type { AlertMetric } from './alert-rule.ts';
import { type AlertState, nextRevision, stateName } from './alert-state.ts';
import { idOf, type NextState, type NextStateOptions } from './next-state.ts';
import type { UsageAlert } from './usage-alert.ts';

const BUDGET = 'budget ';

/** A share of a budget that was reached, as `onBudgetShare` reports it. */
export interface ReachedBudgetShare {
  readonly id: string;
  /** Whose account: `{ user: 'alice' }`; null for calls without a value; `{}` for all calls. */
  readonly key: Readonly<Record<string, string | null>>;
  /** From 0 on; 1 is the whole limit. */
  readonly share: number;
  readonly unit: 'usd' | 'tokens' | 'calls';
  readonly limit: number;
  readonly spent: number;
  /** End of the window, RFC 3339. */
  readonly resetsAt: string;
}

const METRICS: Readonly<Record<ReachedBudgetShare['unit'], AlertMetric>> = {
  usd: 'costUsd',
  tokens: 'totalTokens',
  calls: 'calls',
};

/** Entry of an account. */
export function budgetStateName({ id, key }: ReachedBudgetShare): string {
  return stateName(budgetRule(id), Object.keys(key).length === 0 ? null : JSON.stringify(key));
}

/** The state of an account after a share was reached: `alert` from the whole limit on. */
export function budgetState(
  budget: ReachedBudgetShare,
  state: AlertState | undefined,
  { now, seed, isMuted = false }: NextStateOptions,
): NextState {
  const { id, key, share, unit, limit, spent, resetsAt } = budget;
  const time = new Date(now).toISOString();
  const alert: UsageAlert = {
    id: idOf('alert', [seed, id, key, share, resetsAt]),
    incident: idOf('incident', [seed, 'budget', id, key]),
    kind: 'budget',
    rule: budgetRule(id),
    level: share >= 1 ? 'alert' : 'warning',
    previousLevel: state?.alert?.level ?? 'ok',
    metric: METRICS[unit],
    ...keyOf(key),
    value: spent,
    threshold: share * limit,
    limit,
    noData: false,
    from: time,
    to: resetsAt,
    windowMs: Math.max(0, Date.parse(resetsAt) - now),
    timeZone: 'UTC',
    time,
  };
  const { owed } = state ?? {};
  const withheld = state?.withheld ?? alert.previousLevel;
  return {
    state: {
      revision: nextRevision(state, now),
      alert,
      ...(isMuted && { withheld }),
      ...(owed && { owed }),
    },
    changed: alert,
    ...(!isMuted && { notice: alert }),
  };
}

/** Of an account whose mute is over: what it has held back. Undefined where there is nothing. */
export function unmutedBudgetState(state: AlertState, now: number): NextState | undefined {
  const { withheld, ...rest } = state;
  if (withheld === undefined || rest.alert?.kind !== 'budget') return undefined;
  const alert = { ...rest.alert, time: new Date(now).toISOString() };
  return { state: { ...rest, revision: nextRevision(state, now) }, notice: alert };
}

/** Of an account whose window is over. Undefined while it is not. */
export function endedBudgetState(
  state: AlertState,
  { now, seed }: NextStateOptions,
): NextState | undefined {
  const { alert: last, owed, withheld } = state;
  if (last?.kind !== 'budget' || last.level === 'ok' || Date.parse(last.to) > now) return undefined;
  const { threshold: _, ...rest } = last;
  const alert: UsageAlert = {
    ...rest,
    id: idOf('alert', [seed, last.id, 'ok']),
    level: 'ok',
    previousLevel: last.level,
    time: new Date(now).toISOString(),
  };
  return {
    state: { revision: nextRevision(state, now), alert, ...(owed && { owed }) },
    changed: alert,
    // Nobody knows of what a mute has held back.
    ...(withheld !== 'ok' && { notice: alert }),
  };
}

/** What its alerts have as `rule`, and mutes name. */
export function budgetRule(id: string): string {
  return `${BUDGET}${id}`;
}

export function isBudgetRule(name: string): boolean {
  return name.startsWith(BUDGET);
}

/** One member is a key as of a rule; of several, the text names all. */
function keyOf(key: ReachedBudgetShare['key']): Pick<UsageAlert, 'by' | 'key'> {
  const [first, ...more] = Object.entries(key);
  if (first === undefined) return { by: 'all', key: null };
  const [name, value] = first;
  if (more.length === 0) return { by: name as UsageAlert['by'], key: value };
  const values = [first, ...more].map(([of, one]) => `${of} ${one ?? '–'}`);
  return { by: 'account', key: values.join(', ') };
}
