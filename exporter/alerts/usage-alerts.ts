import { diag } from '@opentelemetry/api';
import { TokenMeterError } from '../../src/errors.ts';
import type { UsageReader } from '../ledger/usage-query.ts';
import { emitAlertEvent } from './alert-event.ts';
import type { AlertRule } from './alert-rule.ts';
import { AlertActions, type AlertActor } from './alert-actions.ts';
import { AlertHistory, type AlertHistoryEntry, levelEntry } from './alert-history.ts';
import {
  type AlertAcknowledgement,
  type AlertMute,
  type AlertState,
  muteName,
  partsOfName,
  stateName,
} from './alert-state.ts';
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
import { isOfTeams, teamsWatched } from './rule-of-teams.ts';
import { severityOf } from './next-level.ts';
import { type NextState, nextState } from './next-state.ts';
import { OwedAlerts } from './owed-alerts.ts';
import { type AlertStateStore, MemoryAlertStates } from './state-store.ts';
import type { UsageAlert } from './usage-alert.ts';

export interface UsageAlertsOptions {
  readonly rules: readonly AlertRule[];
  readonly reader: Pick<UsageReader, 'summary'>;
  /**
   * Called for each change of level, on one instance of those that share `states`. Until it returns,
   * or the promise that it returns resolves to anything but `false`, the change counts as not
   * delivered: it is delivered again after a failure, a crash or a restart, for a day.
   */
  readonly onAlert?: (alert: UsageAlert) => unknown;
  /**
   * Receivers beside `onAlert`, such as `AlertSlack`. Each confirms on its own: one that is away does
   * not make the others get an alert twice. Their names must be the same on every instance.
   */
  readonly channels?: readonly AlertReceiver[];
  /** Levels across restarts and instances. @default in memory */
  readonly states?: AlertStateStore;
  /** False silences the no-data rules: an empty window is then explained. @default always true */
  readonly isRecording?: () => boolean;
  /** @default 60_000, minimum 1000 */
  readonly intervalMs?: number;
  /** @default Date.now */
  readonly now?: () => number;
}

/** As `onAlert`, with a name. */
export interface AlertReceiver {
  readonly name: string;
  readonly send: (alert: UsageAlert) => unknown;
  /** Alerts that are handed to it at once. @default 100 */
  readonly maxQueued?: number;
}

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

export interface UsageAlertsStatus {
  /** Everything not `ok`, worst first. */
  readonly active: readonly ActiveAlert[];
  /** In the order given. */
  readonly rules: readonly AlertRuleStatus[];
  /** Changes that a receiver has not confirmed, on any instance. */
  readonly undelivered: number;
  /** Changes that were given up undelivered by this instance: after a day, or too many for one key. */
  readonly dropped: number;
  /** RFC 3339; absent before the first evaluation. */
  readonly lastEvaluated?: string;
  readonly lastError?: { readonly time: string; readonly message: string };
}

const MIN_INTERVAL_MS = 1000;
const MAX_INTERVAL_MS = 2 ** 31 - 1;
/** Shares of budgets that wait for a store that was never reached. */
const MAX_REACHED = 1000;
/** What the queue of a channel takes. */
const MAX_SENDING = 100;
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
    const active: ActiveAlert[] = [];
    for (const [, { alert, acknowledged }] of this.#states.all()) {
      if (alert === undefined || alert.level === 'ok') continue;
      if (alert.kind === 'budget' ? teams !== undefined : !this.#isShown(alert, teams)) continue;
      const isMuted = this.#states.isMuted(alert.rule, now);
      active.push({ ...alert, isMuted, ...(acknowledged && { acknowledged }) });
    }
    return {
      active: active.toSorted((a, b) => severityOf(b.level) - severityOf(a.level)),
      rules: this.#rules.flatMap((rule) => {
        const isShown = (watched: readonly string[] | undefined): boolean =>
          teams === undefined || isOfTeams(watched, teams);
        if (!isShown(teamsWatched(rule))) return [];
        const { muted } = this.#states.get(muteName(rule.name)) ?? {};
        const isMuted = muted !== undefined && Date.parse(muted.until) > now;
        return { rule, ...(isMuted && isShown(muted.teams) && { muted }) };
      }),
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
    return teams === undefined ? entries : entries.filter((entry) => this.#isShown(entry, teams));
  }

  #teamsOf(name: string): readonly string[] | undefined {
    const rule = this.#rules.find((each) => each.name === name);
    return rule && teamsWatched(rule);
  }

  /** Whether a rule in force has this, and it was about calls of these teams alone when it was found. */
  #isShown(
    entry: { readonly rule: string; readonly teams?: readonly string[] },
    teams: readonly string[] | undefined,
  ): boolean {
    const isOfRule = this.#rules.some(({ name }) => name === entry.rule);
    return isOfRule && (teams === undefined || isOfTeams(entry.teams, teams));
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
    return this.status().active.find((alert) => alert.id === id);
  }

  /** For what another instance has reported a moment ago. While the store is away, what is known counts. */
  async #refreshed(): Promise<void> {
    const refresh = async (): Promise<void> => await this.#states.refresh(this.#now());
    await this.#owed.exclusively(refresh).catch(() => undefined);
  }

  async #checkRule(name: string): Promise<void> {
    const names = this.#rules.map((rule) => rule.name);
    if (names.includes(name) || this.#isBudget(name)) return;
    await this.#refreshed();
    if (!this.#isBudget(name)) {
      refuse('rule', name, `one of ${names.join(', ')}, or that of a budget with alerts`);
    }
  }

  #isBudget(name: string): boolean {
    const isOne = ({ alert }: AlertState): boolean =>
      alert?.kind === 'budget' && alert.rule === name;
    return (
      this.#states.get(muteName(name)) !== undefined ||
      [...this.#states.all()].some(([, state]) => isOne(state))
    );
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

function receiversOf({
  onAlert,
  channels = [],
}: UsageAlertsOptions): ReadonlyMap<string, (alert: UsageAlert) => unknown> {
  const receivers = channels.map(({ name, send }) => [name, send] as const);
  return new Map([...(onAlert ? [['onAlert', onAlert] as const] : []), ...receivers]);
}

function maxSendingOf({ channels = [] }: UsageAlertsOptions): number {
  return Math.min(MAX_SENDING, ...channels.map(({ maxQueued = MAX_SENDING }) => maxQueued));
}

function refuse(key: string, value: unknown, allowed: string): never {
  throw new TokenMeterError('INVALID_OPTION', `alerts: ${key} must be ${allowed}`, {
    value,
    allowed,
  });
}

function checkOptions({
  reader,
  onAlert,
  channels = [],
  states,
  isRecording,
  intervalMs,
  now,
}: UsageAlertsOptions) {
  if (typeof reader?.summary !== 'function') refuse('reader', reader, 'a UsageReader');
  if (states !== undefined && typeof states.swap !== 'function') {
    refuse('states', states, 'an AlertStateStore');
  }
  for (const [key, value] of Object.entries({ onAlert, isRecording, now })) {
    if (value !== undefined && typeof value !== 'function') refuse(key, value, 'a function');
  }
  const receivers = ['onAlert', ...channels.map(({ name }) => name)];
  const areNamed = channels.every(({ name, send }) => name && typeof send === 'function');
  if (!areNamed || new Set(receivers).size < receivers.length) {
    refuse('channels', receivers.slice(1), 'receivers, each with another name');
  }
  const isInterval =
    intervalMs === undefined || (Number.isFinite(intervalMs) && intervalMs <= MAX_INTERVAL_MS);
  if (!isInterval) refuse('intervalMs', intervalMs, `a number of up to ${MAX_INTERVAL_MS}`);
}
