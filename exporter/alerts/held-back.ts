import type { AlertLevel } from './alert-rule.ts';
import type { AlertState } from './alert-state.ts';
import type { UsageAlert } from './usage-alert.ts';

/**
 * The state of a muted rule, whose alerts wait for a receiver that was away: only the end of what
 * receivers know is still owed. The level of the others is withheld, as if the mute had been there
 * before them.
 */
export function heldBack(state: AlertState): AlertState {
  const { owed, ...rest } = state;
  const last = owed?.alerts.at(-1);
  if (owed === undefined || last === undefined) return rest;
  const known = knownLevel(state);
  const end = known === 'ok' ? undefined : owed.alerts.findLast(({ level }) => level === 'ok');
  const isWithheld = last.level !== 'ok' && last.repeat === undefined;
  return {
    ...rest,
    ...(isWithheld && { withheld: end === undefined ? known : 'ok' }),
    ...(end && { owed: { ...owed, alerts: [end] } }),
  };
}

/** What a mute lets through. */
export function isLetThrough({ level }: UsageAlert): boolean {
  return level === 'ok';
}

/** Of the receiver that has got the most. */
function knownLevel({ owed, withheld }: AlertState): AlertLevel {
  const { alerts = [], taken = {} } = owed ?? {};
  const confirmed = alerts.findLast(({ id }) => (taken[id]?.length ?? 0) > 0);
  if (confirmed !== undefined) return confirmed.level;
  const [first] = alerts;
  if (first === undefined) return withheld ?? 'ok';
  return first.repeat === undefined ? first.previousLevel : first.level;
}
