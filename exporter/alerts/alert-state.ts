import type { AlertLevel } from './alert-rule.ts';
import { type PendingLevels, severityOf } from './next-level.ts';
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
  /** Who looks after the level, so that it is not repeated. Ends when the level rises or is `ok`. */
  readonly acknowledged?: AlertAcknowledgement;
  /** How often the level was repeated, and the last time, in ms. */
  readonly repeated?: { readonly count: number; readonly at: number };
  /** The level that receivers know, where a mute keeps them from knowing the current one. */
  readonly withheld?: AlertLevel;
  readonly owed?: OwedState;
  /** Of a whole rule: see `muteName`. */
  readonly muted?: AlertMute;
}

/** Changes of level that not all receivers have confirmed. */
export interface OwedState {
  /** Until then somebody is sending them. */
  readonly until: number;
  readonly alerts: readonly UsageAlert[];
  /** Names of the receivers that have confirmed one of them, by its id. */
  readonly taken?: Readonly<Record<string, readonly string[]>>;
}

export interface AlertAcknowledgement {
  readonly by: string;
  /** RFC 3339. */
  readonly at: string;
  readonly note?: string;
}

/** Changes of level are not reported until then, except for the end of what was reported before. */
export interface AlertMute extends AlertAcknowledgement {
  /** RFC 3339. */
  readonly until: string;
  /** The teams whose calls alone the rule watched then. */
  readonly teams?: readonly string[];
}

/** Entry of a rule and key in a state store. */
export function stateName(rule: string, key: string | null): string {
  return JSON.stringify([rule, key]);
}

/** Entry of what holds for all keys of a rule. */
export function muteName(rule: string): string {
  return JSON.stringify([rule]);
}

/** A store may hold entries of another kind. */
export function isStateName(name: string): boolean {
  return name.startsWith('["');
}

/** Without a key: the entry of a rule. */
export function partsOfName(name: string): readonly [rule: string, key?: string | null] {
  return JSON.parse(name) as [string, (string | null)?];
}

/**
 * How long a state at level `ok` is kept. It must be long: its id makes the next one a new one, and
 * an instance that has not seen the change would bring the state before it back.
 */
export const FORGET_AFTER_MS: number = 7 * 86_400_000;

export function nextRevision(state: AlertState | undefined, now: number): number {
  return Math.max((state?.revision ?? 0) + 1, Math.floor(now));
}

export function isForgettable(state: AlertState, now: number): boolean {
  const { revision, alert, pending, owed, muted } = state;
  if (pending !== undefined || owed !== undefined) return false;
  if (muted !== undefined && Date.parse(muted.until) > now) return false;
  return (alert?.level ?? 'ok') === 'ok' && now - revision > FORGET_AFTER_MS;
}

/** Undefined for what is no state. */
export function parseState(text: string): AlertState | undefined {
  try {
    const value = JSON.parse(text) as Partial<AlertState> | null;
    if (!Number.isSafeInteger(value?.revision)) return undefined;
    const { alert, pending = {}, owed, muted, withheld, repeated } = value as AlertState;
    const isState =
      (alert === undefined || isAlert(alert)) &&
      Object.values(pending).every((since) => Number.isFinite(since)) &&
      (owed === undefined || isOwed(owed)) &&
      (muted === undefined || !Number.isNaN(Date.parse(muted.until))) &&
      (withheld === undefined || severityOf(withheld) >= 0) &&
      (repeated === undefined || Number.isFinite(repeated.count + repeated.at));
    return isState ? (value as AlertState) : undefined;
  } catch {
    return undefined;
  }
}

function isOwed({ until, alerts, taken = {} }: OwedState): boolean {
  const areNames = Object.values(taken).every((names) => Array.isArray(names));
  return Number.isFinite(until) && alerts.every(isAlert) && areNames;
}

function isAlert({ id, rule, level, time }: UsageAlert): boolean {
  return (
    typeof id === 'string' &&
    typeof rule === 'string' &&
    severityOf(level) >= 0 &&
    !Number.isNaN(Date.parse(time))
  );
}
