import { createHash } from 'node:crypto';
import type { AlertRule } from './alert-rule.ts';
import type { AlertFinding } from './evaluate.ts';
import { type PendingLevels, nextLevel, severityOf } from './next-level.ts';
import type { UsageAlert } from './usage-alert.ts';

/** What is known of one rule and key, across rounds, restarts and instances. */
export interface AlertState {
  /**
   * The higher of two versions is the newer one: the time of the change in ms, or one more than the
   * revision before it where clocks disagree. So it increases also after a state was forgotten.
   */
  readonly revision: number;
  /** The last reported change of level. Absent: `ok` from the start. */
  readonly alert?: UsageAlert;
  readonly pending?: PendingLevels;
  /** Changes of level whose receiver has not confirmed them, and until when somebody is sending. */
  readonly owed?: { readonly until: number; readonly alerts: readonly UsageAlert[] };
}

/** Entry of a rule and key in a state store. */
export function stateName(rule: string, key: string | null): string {
  return JSON.stringify([rule, key]);
}

/** A store may hold entries of another kind. */
export function isStateName(name: string): boolean {
  return name.startsWith('["');
}

export function partsOfName(name: string): readonly [rule: string, key: string | null] {
  return JSON.parse(name) as [string, string | null];
}

/**
 * How long a state at level `ok` is kept. It must be long: its id makes the next one a new one, and
 * an instance that has not seen the change would bring the state before it back.
 */
const FORGET_AFTER_MS = 7 * 86_400_000;

export function nextRevision(state: AlertState | undefined, now: number): number {
  return Math.max((state?.revision ?? 0) + 1, Math.floor(now));
}

export function isForgettable(state: AlertState, now: number): boolean {
  const { revision, alert, pending, owed } = state;
  if (pending !== undefined || owed !== undefined) return false;
  return (alert?.level ?? 'ok') === 'ok' && now - revision > FORGET_AFTER_MS;
}

/** A clock that is further ahead than this is wrong and does not hold back others. */
const CLOCK_SKEW_MS = 600_000;

/** The state after a finding, and the alert of a change of level. Undefined if nothing changed. */
export function nextState(
  rule: AlertRule,
  state: AlertState | undefined,
  finding: AlertFinding,
  now: number,
  seed: string,
): { readonly state: AlertState; readonly alert?: UsageAlert } | undefined {
  const previousLevel = state?.alert?.level ?? 'ok';
  const previousPending = state?.pending ?? {};
  // Somebody else has looked later than this.
  const ahead = state?.alert === undefined ? 0 : Date.parse(state.alert.time) - now;
  if (ahead > 0 && ahead < CLOCK_SKEW_MS) return undefined;
  const before = { level: previousLevel, pending: previousPending };
  const { level, pending } = nextLevel(rule, before, finding, now);
  const isSame =
    pending.warning === previousPending.warning && pending.alert === previousPending.alert;
  if (level === previousLevel && isSame) return undefined;
  const { alert: last, owed } = state ?? {};
  const revised = {
    revision: nextRevision(state, now),
    ...(Object.keys(pending).length > 0 && { pending }),
    ...(owed && { owed }),
  };
  if (level === previousLevel) return { state: { ...revised, ...(last && { alert: last }) } };
  const threshold = finding.noData || level === 'ok' ? undefined : rule[level];
  const alert: UsageAlert = {
    id: alertId([seed, last?.id ?? epochOf(now), rule.name, finding.key, level]),
    rule: rule.name,
    level,
    previousLevel,
    metric: rule.metric,
    by: rule.by ?? 'all',
    ...finding,
    ...(threshold !== undefined && { threshold }),
    windowMs: rule.windowMs,
    time: new Date(now).toISOString(),
  };
  return { state: { ...revised, alert }, alert };
}

/**
 * A function of the change before it, so that instances which cannot ask each other give one
 * change one id.
 */
function alertId(parts: readonly unknown[]): string {
  const digest = createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
  return `alert_${digest.slice(0, 22)}`;
}

/** In place of a previous id: another one by the time a state has been forgotten. */
function epochOf(now: number): number {
  return Math.floor(now / FORGET_AFTER_MS);
}

/** Undefined for what is no state. */
export function parseState(text: string): AlertState | undefined {
  try {
    const value = JSON.parse(text) as Partial<AlertState> | null;
    if (!Number.isSafeInteger(value?.revision)) return undefined;
    const { alert, pending = {}, owed } = value as AlertState;
    const isState =
      (alert === undefined || isAlert(alert)) &&
      Object.values(pending).every((since) => Number.isFinite(since)) &&
      (owed === undefined || (Number.isFinite(owed.until) && owed.alerts.every(isAlert)));
    return isState ? (value as AlertState) : undefined;
  } catch {
    return undefined;
  }
}

function isAlert({ id, rule, level, time }: UsageAlert): boolean {
  return (
    typeof id === 'string' &&
    typeof rule === 'string' &&
    severityOf(level) >= 0 &&
    !Number.isNaN(Date.parse(time))
  );
}
