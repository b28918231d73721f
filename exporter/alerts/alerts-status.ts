import type { AlertHistoryEntry } from './alert-history.ts';
import type { AlertRule } from './alert-rule.ts';
import {
  type AlertAcknowledgement,
  type AlertMute,
  type AlertState,
  muteName,
  partsOfName,
} from './alert-state.ts';
import { isBudgetRule } from './budget-alerts.ts';
import type { KnownStates } from './known-states.ts';
import { severityOf } from './next-level.ts';
import { isOfTeams, teamsWatched } from './rule-of-teams.ts';
import type { UsageAlert } from './usage-alert.ts';

/** An alert that is not over. `time` is since when. */
export interface ActiveAlert extends UsageAlert {
  readonly acknowledged?: AlertAcknowledgement;
  /** Its rule is muted. */
  readonly isMuted: boolean;
}

export interface AlertRuleStatus {
  readonly rule: AlertRule;
  readonly muted?: AlertMute;
}

/** A budget that has or had alerts, or is muted. */
export interface AlertBudgetStatus {
  /** The `rule` of its alerts, to mute it by. */
  readonly rule: string;
  /** The last alert of one of its accounts; absent while there is none. */
  readonly alert?: UsageAlert;
  readonly muted?: AlertMute;
}

export interface UsageAlertsStatus {
  /** Everything not `ok`, worst first. */
  readonly active: readonly ActiveAlert[];
  /** In the order given. */
  readonly rules: readonly AlertRuleStatus[];
  /** By name. */
  readonly budgets: readonly AlertBudgetStatus[];
  /** Changes that a receiver has not confirmed, on any instance. */
  readonly undelivered: number;
  /** Changes that were given up undelivered by this instance: after a day, or too many for one key. */
  readonly dropped: number;
  /** RFC 3339; absent before the first evaluation. */
  readonly lastEvaluated?: string;
  readonly lastError?: { readonly time: string; readonly message: string };
}

/**
 * What rules and budgets have found, for everybody or for viewers of some teams: these see what is about calls of
 * theirs alone, and no budgets, which may name others.
 */
export class AlertsStatus {
  readonly #rules: readonly AlertRule[];
  readonly #states: KnownStates;

  constructor(rules: readonly AlertRule[], states: KnownStates) {
    this.#rules = rules;
    this.#states = states;
  }

  active(now: number, teams: readonly string[] | undefined): readonly ActiveAlert[] {
    const active: ActiveAlert[] = [];
    for (const [, { alert, acknowledged }] of this.#states.all()) {
      if (alert === undefined || alert.level === 'ok') continue;
      if (alert.kind === 'budget' ? teams !== undefined : !this.isShown(alert, teams)) continue;
      const isMuted = this.#states.isMuted(alert.rule, now);
      active.push({ ...alert, isMuted, ...(acknowledged && { acknowledged }) });
    }
    return active.toSorted((a, b) => severityOf(b.level) - severityOf(a.level));
  }

  rules(now: number, teams: readonly string[] | undefined): readonly AlertRuleStatus[] {
    const isShown = (watched: readonly string[] | undefined): boolean =>
      teams === undefined || isOfTeams(watched, teams);
    return this.#rules
      .filter((rule) => isShown(teamsWatched(rule)))
      .map((rule) => {
        const muted = this.#muted(rule.name, now);
        return { rule, ...(muted && isShown(muted.teams) && { muted }) };
      });
  }

  budgets(now: number): readonly AlertBudgetStatus[] {
    const found = new Map<string, UsageAlert | undefined>();
    for (const [name, { alert, muted }] of this.#states.all()) {
      if (alert?.kind === 'budget') found.set(alert.rule, alert);
      const [rule] = partsOfName(name);
      const isMutedBudget = muted !== undefined && isBudgetRule(rule) && !this.#isRule(rule);
      if (isMutedBudget && !found.has(rule)) found.set(rule, undefined);
    }
    return [...found.keys()].toSorted().map((rule) => {
      const alert = found.get(rule);
      const muted = this.#muted(rule, now);
      return { rule, ...(alert && { alert }), ...(muted && { muted }) };
    });
  }

  isBudget(name: string): boolean {
    const isOne = ({ alert }: AlertState): boolean =>
      alert?.kind === 'budget' && alert.rule === name;
    return (
      this.#states.get(muteName(name)) !== undefined ||
      [...this.#states.all()].some(([, state]) => isOne(state))
    );
  }

  /** Whether a rule in force has this, and it was about calls of these teams alone when it was found. */
  isShown(
    entry: Pick<AlertHistoryEntry, 'rule' | 'teams'>,
    teams: readonly string[] | undefined,
  ): boolean {
    return this.#isRule(entry.rule) && (teams === undefined || isOfTeams(entry.teams, teams));
  }

  #isRule(wanted: string): boolean {
    return this.#rules.some(({ name }) => name === wanted);
  }

  #muted(rule: string, now: number): AlertMute | undefined {
    const { muted } = this.#states.get(muteName(rule)) ?? {};
    return muted !== undefined && Date.parse(muted.until) > now ? muted : undefined;
  }
}
