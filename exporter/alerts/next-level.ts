import type { AlertLevel, AlertRule } from './alert-rule.ts';
import type { AlertFinding } from './evaluate/finding.ts';

/** Since when, in ms, a value has been at least at a level that is not reported yet. */
export type PendingLevels = Readonly<Partial<Record<'warning' | 'alert', number>>>;

export interface Levelled {
  readonly level: AlertLevel;
  readonly pending: PendingLevels;
}

/** A clock that is further ahead than this is wrong and does not hold back others. */
const CLOCK_SKEW_MS = 600_000;

/** Whether a time was noted by a clock that was wrong. */
export function isWrongClock(time: number, now: number): boolean {
  return time - now >= CLOCK_SKEW_MS;
}

const LEVELS = ['ok', 'warning', 'alert'] as const;

/** Order of levels, the most severe highest. */
export function severityOf(level: AlertLevel): number {
  return LEVELS.indexOf(level);
}

/** The level to report after a finding, by the thresholds, `hysteresis` and `forMs` of the rule. */
export function nextLevel(
  rule: AlertRule,
  { level, pending }: Levelled,
  finding: Pick<AlertFinding, 'value' | 'noData' | 'thresholds'>,
  now: number,
): Levelled {
  const reached = reachedLevel(rule, level, finding);
  // Calls without the number are no evidence, neither for the level nor against it.
  if (reached === undefined) return { level, pending };
  if (severityOf(reached) <= severityOf(level)) return { level: reached, pending: {} };
  const since = (of: 'warning' | 'alert'): number => {
    const noted = pending[of] ?? now;
    return isWrongClock(noted, now) ? now : noted;
  };
  const climbed = (['alert', 'warning'] as const).filter(
    (of) => severityOf(of) > severityOf(level) && severityOf(of) <= severityOf(reached),
  );
  const held = climbed.find((of) => now - since(of) >= (rule.forMs ?? 0));
  const next = held ?? level;
  const waiting = climbed.filter((of) => severityOf(of) > severityOf(next));
  return { level: next, pending: Object.fromEntries(waiting.map((of) => [of, since(of)])) };
}

function reachedLevel(
  rule: AlertRule,
  current: AlertLevel,
  { value, noData, thresholds = rule }: Pick<AlertFinding, 'value' | 'noData' | 'thresholds'>,
): AlertLevel | undefined {
  if (noData) return ('whenNoData' in rule ? rule.whenNoData : undefined) ?? 'ok';
  if (value === undefined) return undefined;
  for (const level of ['alert', 'warning'] as const) {
    const threshold = thresholds[level];
    if (threshold === undefined) continue;
    const isReported = severityOf(level) <= severityOf(current);
    if (value >= threshold * (isReported ? 1 - (rule.hysteresis ?? 0) : 1)) return level;
  }
  return 'ok';
}
