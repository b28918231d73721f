import { diag } from '@opentelemetry/api';
import { emitAlertEvent } from './alert-event.ts';
import type { AlertRule } from './alert-rule.ts';
import { AlertActions, type AlertActor } from './alert-actions.ts';
import { AlertHistory, type AlertHistoryEntry, levelEntry } from './alert-history.ts';
import { type AlertMute, partsOfName, stateName } from './alert-state.ts';
import { type ActiveAlert, AlertsStatus, type UsageAlertsStatus } from './alerts-status.ts';
import {
  budgetRule,
  budgetState,
  budgetStateName,
  endedBudgetState,
  unmutedBudgetState,
  type ReachedBudgetShare,
} from './budget-alerts.ts';
import { checkAlertRules } from './check-rules.ts';
import { type RuleEvaluator, ruleEvaluator } from './evaluate/rule-evaluator.ts';
import { KnownStates } from './known-states.ts';
import { teamsWatched } from './rule-of-teams.ts';
import { type NextState, nextState } from './next-state.ts';
import { OwedAlerts } from './owed-alerts.ts';
import { MemoryAlertStates } from './state-store.ts';
import {
  checkOptions,
  maxSendingOf,
  receiversOf,
  refuse,
  type UsageAlertsOptions,
} from './usage-alerts-options.ts';

const MIN_INTERVAL_MS = 1000;
/** Shares of budgets that wait for a store that was never reached. */
const MAX_REACHED = 1000;
const WARN_EVERY_MS = 60_000;
/** For the receivers of alerts, at the end. */
const CLOSE_MS = 2000;

/**
 * Watches thresholds on the ledger and reports when one is crossed, by callback and log event. It
 * only reports: no call is ever refused or delayed by it.
 */
export class UsageAlerts {
  readonly #options: UsageAlertsOptions;
  readonly #rules: readonly AlertRule[];
  readonly #intervalMs: number;
  readonly #now: () => number;
  readonly #evaluators: ReadonlyMap<string, RuleEvaluator>;
  readonly #history = new AlertHistory();
  readonly #states: KnownStates;
  readonly #status: AlertsStatus;
  readonly #actions: AlertActions;
  readonly #owed: OwedAlerts;
  readonly #reached: ReachedBudgetShare[] = [];
  readonly #abort = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #lastEvaluated: string | undefined;
  #lastError: UsageAlertsStatus['lastError'];
  #lastWarnedMs = Number.NEGATIVE_INFINITY;

  /** @throws TokenMeterError `INVALID_OPTION` naming the wrong option or member of a rule. */
  constructor(options: UsageAlertsOptions) {
    const { rules, intervalMs = 60_000, now = Date.now } = options;
    this.#rules = checkAlertRules(rules);
    this.#evaluators = new Map(this.#rules.map((rule) => [rule.name, ruleEvaluator(rule)]));
    checkOptions(options);
    this.#options = options;
    this.#intervalMs = Math.max(MIN_INTERVAL_MS, intervalMs);
    this.#now = now;
    this.#states = new KnownStates(options.states ?? new MemoryAlertStates(), this.#history);
    this.#status = new AlertsStatus(this.#rules, this.#states);
    this.#owed = new OwedAlerts({
      states: this.#states,
      receivers: receiversOf(options),
      maxSending: maxSendingOf(options),
      now,
    });
    this.#actions = new AlertActions({
      states: this.#states,
      history: this.#history,
      exclusively: async (job) => await this.#owed.exclusively(job),
      now,
    });
  }

  /** Evaluates at once, then every interval; never keeps the process alive. */
  start(): void {
    if (this.#timer || this.#abort.signal.aborted) return;
    this.#timer = setInterval(() => void this.evaluate(), this.#intervalMs);
    this.#timer.unref();
    void this.evaluate();
  }

  /** One round over all rules. Never rejects; a second call joins the round under way. */
  evaluate(): Promise<void> {
    this.#running ??= this.#evaluateAll().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /**
   * Of `teams`: what is about calls of theirs alone, and no budgets and messages, which may name others.
   */
  status(teams?: readonly string[]): UsageAlertsStatus {
    const now = this.#now();
    return {
      active: this.#status.active(now, teams),
      rules: this.#status.rules(now, teams),
      budgets: teams === undefined ? this.#status.budgets(now) : [],
      undelivered: this.#owed.undelivered,
      dropped: this.#owed.dropped,
      ...(this.#lastEvaluated && { lastEvaluated: this.#lastEvaluated }),
      ...(this.#lastError && teams === undefined && { lastError: this.#lastError }),
    };
  }

  /**
   * Reports a share of a budget like a change of level: pass to `onBudgetShare`. It is over when the
   * window of the budget is.
   */
  readonly reportBudget = (share: ReachedBudgetShare): void => {
    this.#reached.push(share);
    if (this.#reached.length > MAX_REACHED) this.#reached.shift();
    // A round that is under way may be past it.
    void Promise.resolve(this.#running).then(async () => await this.evaluate());
  };

  /**
   * Changes of level, mutes and acknowledgements of the fleet, newest first; 200 at most. Of `teams`:
   * those about calls of theirs alone.
   */
  history(teams?: readonly string[]): readonly AlertHistoryEntry[] {
    const { entries } = this.#history;
    return teams === undefined
      ? entries
      : entries.filter((entry) => this.#status.isShown(entry, teams));
  }

  #teamsOf(name: string): readonly string[] | undefined {
    const rule = this.#rules.find((each) => each.name === name);
    return rule && teamsWatched(rule);
  }

  /**
   * Keeps changes of a rule, or of a budget by the `rule` of its alerts, from receivers until a time,
   * except for the end of what they know. What is still there then is reported. Rejects with
   * `INVALID_OPTION` for an unknown rule, a budget without alerts or a time that is not ahead, and
   * with `STORE_UNAVAILABLE`.
   */
  async mute(rule: string, until: Date, actor: AlertActor): Promise<AlertMute> {
    await this.#checkRule(rule);
    if (!(until.getTime() > this.#now())) refuse('until', until, 'a time to come');
    return await this.#actions.mute(rule, until, actor, this.#teamsOf(rule));
  }

  /** Ends a mute; nothing happens without one. Rejects as `mute` does. */
  async unmute(rule: string, actor: AlertActor): Promise<void> {
    await this.#checkRule(rule);
    await this.#actions.unmute(rule, actor, this.#teamsOf(rule));
  }

  /**
   * Somebody looks after an active alert: it is not repeated, and its end is reported as ever. Ends
   * when the level rises. Resolves to false if there is no such alert any more. Rejects with
   * `STORE_UNAVAILABLE`.
   */
  async acknowledge(id: string, actor: AlertActor): Promise<boolean> {
    // Another instance may have reported it a moment ago.
    await this.#actions.refresh();
    const alert = this.#activeAlert(id);
    if (alert === undefined) return false;
    return await this.#actions.acknowledge(stateName(alert.rule, alert.key), alert, actor);
  }

  /** The rule of an active alert, from whichever instance it is. Undefined if it is over. */
  async ruleOfAlert(id: string): Promise<string | undefined> {
    if (this.#activeAlert(id) === undefined) await this.#refreshed();
    return this.#activeAlert(id)?.rule;
  }

  /** Ends the timer and a query under way, and gives deliveries a moment. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#abort.abort();
    await this.#running;
    await this.#owed.settled(CLOSE_MS);
  }

  async #evaluateAll(): Promise<void> {
    const now = this.#now();
    let failure: unknown;
    try {
      await this.#owed.exclusively(() => this.#states.refresh(now));
      await this.#owed.exclusively(async () => await this.#reportBudgets(now));
      for (const rule of this.#rules) {
        failure = (await this.#evaluateOne(rule, now)) ?? failure;
        if (this.#abort.signal.aborted) return;
      }
      await this.#owed.deliverDue();
      if (this.#history.isAhead) {
        await this.#owed.exclusively(async () => await this.#states.refresh(now));
      }
      failure ??= this.#states.problem;
      this.#lastEvaluated = new Date(now).toISOString();
    } catch (error) {
      // Nothing is known of what was reported before, and nothing must be repeated.
      failure = error;
    }
    if (failure === undefined) this.#lastError = undefined;
    else this.#warn(now, failure);
  }

  /** The error of a rule that could not be evaluated: its levels stay as they were. */
  async #evaluateOne(rule: AlertRule, now: number): Promise<unknown> {
    try {
      const isRecording = this.#options.isRecording?.() ?? true;
      const inForce = isRecording ? rule : withoutNoData(rule);
      const { signal } = this.#abort;
      const found = await this.#evaluators.get(rule.name)!.evaluate({
        reader: this.#options.reader,
        now: new Date(now),
        watched: this.#watchedKeys(rule),
        signal,
      });
      await this.#owed.exclusively(async () => {
        const { seed } = this.#states;
        const isMuted = this.#states.isMuted(rule.name, now);
        const changes = new Map<string, NextState>();
        for (const finding of found) {
          const name = stateName(rule.name, finding.key);
          const next = nextState(inForce, this.#states.get(name), finding, { now, seed, isMuted });
          if (next) changes.set(name, next);
        }
        await this.#report(changes);
      });
      return undefined;
    } catch (error) {
      return error;
    }
  }

  /** Keys that are not at level `ok`, or on the way to another one. */
  #watchedKeys(rule: AlertRule): ReadonlySet<string | null> {
    const keys = new Set<string | null>();
    for (const [name, { alert, pending }] of this.#states.all()) {
      const [of, key] = partsOfName(name);
      const isWatched = pending !== undefined || (alert !== undefined && alert.level !== 'ok');
      if (of === rule.name && key !== undefined && isWatched) keys.add(key);
    }
    return keys;
  }

  async #reportBudgets(now: number): Promise<void> {
    const options = { now, seed: this.#states.seed };
    const changes = new Map<string, NextState>();
    for (const [name, state] of this.#states.all()) {
      const isMuted = state.alert !== undefined && this.#states.isMuted(state.alert.rule, now);
      const next =
        endedBudgetState(state, options) ?? (isMuted ? undefined : unmutedBudgetState(state, now));
      if (next) changes.set(name, next);
    }
    const reached = this.#reached.splice(0);
    for (const share of reached) {
      const name = budgetStateName(share);
      const before = changes.get(name)?.state ?? this.#states.get(name);
      const notice = changes.get(name)?.notice;
      const state = before && notice ? this.#owed.owing(before, notice) : before;
      const isMuted = this.#states.isMuted(budgetRule(share.id), now);
      changes.set(name, budgetState(share, state, { ...options, isMuted }));
    }
    const made = await this.#report(changes);
    // Another instance has changed the account meanwhile.
    this.#reached.push(...reached.filter((share) => !made.has(budgetStateName(share))));
  }

  async #report(changes: ReadonlyMap<string, NextState>): Promise<ReadonlySet<string>> {
    const states = [...changes].map(([name, { state, notice }]) => {
      return [name, notice ? this.#owed.owing(state, notice) : state] as const;
    });
    const made = await this.#states.commit(new Map(states));
    for (const name of made) {
      const { changed, notice } = changes.get(name)!;
      if (changed) {
        emitAlertEvent(changed);
        this.#history.add(levelEntry(changed));
      }
      if (notice) this.#owed.deliver(name);
    }
    return made;
  }

  #activeAlert(id: string): ActiveAlert | undefined {
    return this.#status.active(this.#now(), undefined).find((alert) => alert.id === id);
  }

  /** For what another instance has reported a moment ago. While the store is away, what is known counts. */
  async #refreshed(): Promise<void> {
    const refresh = async (): Promise<void> => await this.#states.refresh(this.#now());
    await this.#owed.exclusively(refresh).catch(() => undefined);
  }

  async #checkRule(name: string): Promise<void> {
    const names = this.#rules.map((rule) => rule.name);
    if (names.includes(name) || this.#status.isBudget(name)) return;
    await this.#refreshed();
    if (!this.#status.isBudget(name)) {
      refuse('rule', name, `one of ${names.join(', ')}, or that of a budget with alerts`);
    }
  }

  #warn(now: number, error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    this.#lastError = { time: new Date(now).toISOString(), message };
    if (now - this.#lastWarnedMs < WARN_EVERY_MS) return;
    this.#lastWarnedMs = now;
    diag.warn(`otel-token-meter: alert rules could not be evaluated: ${message}`);
  }
}

function withoutNoData(rule: AlertRule): AlertRule {
  return 'whenNoData' in rule ? { ...rule, whenNoData: 'ok' } : rule;
}
