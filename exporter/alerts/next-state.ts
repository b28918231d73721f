import { createHash } from 'node:crypto';
import type { AlertLevel, AlertRule } from './alert-rule.ts';
import { type AlertState, FORGET_AFTER_MS, nextRevision } from './alert-state.ts';
import type { AlertFinding } from './evaluate/finding.ts';
import { isWrongClock, nextLevel, severityOf } from './next-level.ts';
import { teamsWatched } from './rule-of-teams.ts';
import type { UsageAlert } from './usage-alert.ts';

export interface NextStateOptions {
  readonly now: number;
  /** Makes the ids of one store differ from those of any other. */
  readonly seed: string;
  readonly isMuted?: boolean;
}

export interface NextState {
  readonly state: AlertState;
  /** A change of level. */
  readonly changed?: UsageAlert;
  /** What receivers must learn: a change, one that a mute has held back, or a repetition. */
  readonly notice?: UsageAlert;
}

/** The state after a finding. Undefined if nothing changed. */
export function nextState(
  rule: AlertRule,
  state: AlertState | undefined,
  finding: AlertFinding,
  options: NextStateOptions,
): NextState | undefined {
  const { now } = options;
  const previousLevel = state?.alert?.level ?? 'ok';
  const previousPending = state?.pending ?? {};
  // Somebody else has looked later than this.
  const ahead = state?.alert === undefined ? 0 : Date.parse(state.alert.time) - now;
  if (ahead > 0 && !isWrongClock(ahead, 0)) return undefined;
  const before = { level: previousLevel, pending: previousPending };
  const { level, pending } = nextLevel(rule, before, finding, now);
  const isSame =
    pending.warning === previousPending.warning && pending.alert === previousPending.alert;
  if (level === previousLevel) {
    const notice = laterNotice(rule, state, finding, options);
    if (notice === undefined && isSame) return undefined;
    const { pending: _, ...rest } = notice?.state ?? state ?? {};
    const revision = nextRevision(state, now);
    return {
      state: { ...rest, revision, ...(Object.keys(pending).length > 0 && { pending }) },
      ...(notice && { notice: notice.alert }),
    };
  }
  const changed = changeOf(rule, state, finding, level, options);
  const known = state?.withheld ?? previousLevel;
  // The end of what was reported is never held back.
  const isWithheld = options.isMuted === true && level !== 'ok' && level !== known;
  const isRising = severityOf(level) > severityOf(previousLevel);
  const { owed, acknowledged } = state ?? {};
  return {
    state: {
      revision: nextRevision(state, now),
      alert: changed,
      ...(Object.keys(pending).length > 0 && { pending }),
      ...(acknowledged && !isRising && level !== 'ok' && { acknowledged }),
      ...(isWithheld && { withheld: known }),
      ...(owed && { owed }),
    },
    changed,
    ...(!isWithheld && level !== known && { notice: changed }),
  };
}

/** What receivers must learn although the level has not changed. */
function laterNotice(
  rule: AlertRule,
  state: AlertState | undefined,
  finding: AlertFinding,
  { now, isMuted = false }: NextStateOptions,
): { readonly state: AlertState; readonly alert: UsageAlert } | undefined {
  const { alert, withheld, acknowledged, repeated } = state ?? {};
  if (state === undefined || alert === undefined || alert.level === 'ok' || isMuted)
    return undefined;
  if (withheld !== undefined) {
    const { withheld: _, ...rest } = state;
    const time = new Date(now).toISOString();
    return { state: rest, alert: { ...alert, ...factsOf(rule, finding, now), time } };
  }
  const last = repeated?.at ?? Date.parse(alert.time);
  const isDue =
    rule.repeatMs !== undefined && (now - last >= rule.repeatMs || isWrongClock(last, now));
  if (!isDue || acknowledged !== undefined) return undefined;
  const count = (repeated?.count ?? 0) + 1;
  return {
    state: { ...state, repeated: { count, at: now } },
    alert: {
      ...alert,
      ...factsOf(rule, finding, now),
      id: idOf('alert', [alert.id, 'repeat', count]),
      repeat: count,
      time: new Date(now).toISOString(),
    },
  };
}

function changeOf(
  rule: AlertRule,
  state: AlertState | undefined,
  finding: AlertFinding,
  level: AlertLevel,
  { now, seed }: NextStateOptions,
): UsageAlert {
  const { alert: last } = state ?? {};
  const thresholds = finding.thresholds ?? rule;
  const teams = teamsWatched(rule, finding.key);
  const threshold = finding.noData || level === 'ok' ? undefined : thresholds[level];
  return {
    id: idOf('alert', [seed, last?.id ?? epochOf(now), rule.name, finding.key, level]),
    incident: idOf('incident', [seed, rule.name, finding.key]),
    kind: rule.kind ?? 'threshold',
    rule: rule.name,
    level,
    previousLevel: last?.level ?? 'ok',
    metric: rule.metric,
    by: rule.by ?? 'all',
    ...(teams && { teams }),
    ...factsOf(rule, finding, now),
    ...(threshold !== undefined && { threshold }),
    timeZone: rule.timeZone ?? 'UTC',
    time: new Date(now).toISOString(),
  };
}

type Facts = Omit<AlertFinding, 'thresholds'> & Pick<UsageAlert, 'from' | 'to' | 'windowMs'>;

function factsOf(rule: AlertRule, finding: AlertFinding, now: number): Facts {
  const { thresholds: _, ...facts } = finding;
  const windowMs = windowOf(rule);
  const from = finding.from ?? new Date(now - windowMs).toISOString();
  const to = finding.to ?? new Date(now).toISOString();
  return { ...facts, from, to, windowMs: Date.parse(to) - Date.parse(from) };
}

const HOUR_MS = 3_600_000;

/** Of a forecast the finding has the month. */
export function windowOf(rule: AlertRule): number {
  return rule.kind === 'forecast' ? 0 : (rule.windowMs ?? HOUR_MS);
}

/**
 * A function of the change before it, so that instances which cannot ask each other give one
 * change one id.
 */
export function idOf(kind: 'alert' | 'incident', parts: readonly unknown[]): string {
  const digest = createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
  return `${kind}_${digest.slice(0, 22)}`;
}

/** In place of a previous id: another one by the time a state has been forgotten. */
function epochOf(now: number): number {
  return Math.floor(now / FORGET_AFTER_MS);
}
