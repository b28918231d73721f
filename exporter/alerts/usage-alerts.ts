import { diag } from '@opentelemetry/api';
import { TokenMeterError } from '../../src/errors.ts';
import type { UsageReader } from '../ledger/usage-query.ts';
import { emitAlertEvent } from './alert-event.ts';
import type { AlertRule } from './alert-rule.ts';
import { type AlertState, nextState, partsOfName, stateName } from './alert-state.ts';
import { checkAlertRules } from './check-rules.ts';
import { evaluateRule } from './evaluate.ts';
import { KnownStates } from './known-states.ts';
import { severityOf } from './next-level.ts';
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
  /** Levels across restarts and instances. @default in memory */
  readonly states?: AlertStateStore;
  /** False silences the no-data rules: an empty window is then explained. @default always true */
  readonly isRecording?: () => boolean;
  /** @default 60_000, minimum 1000 */
  readonly intervalMs?: number;
  /** @default Date.now */
  readonly now?: () => number;
}

export interface UsageAlertsStatus {
  /** Everything not `ok`, worst first. */
  readonly active: readonly UsageAlert[];
  /** Changes that `onAlert` has not confirmed, on any instance. */
  readonly undelivered: number;
  /** Changes that were given up undelivered by this instance: after a day, or too many for one key. */
  readonly dropped: number;
  /** RFC 3339; absent before the first evaluation. */
  readonly lastEvaluated?: string;
  readonly lastError?: { readonly time: string; readonly message: string };
}

const MIN_INTERVAL_MS = 1000;
const MAX_INTERVAL_MS = 2 ** 31 - 1;
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
  readonly #states: KnownStates;
  readonly #owed: OwedAlerts;
  readonly #abort = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #lastEvaluated: string | undefined;
  #lastError: UsageAlertsStatus['lastError'];
  #lastWarnedMs = Number.NEGATIVE_INFINITY;

  /** @throws TokenMeterError `INVALID_OPTION` naming the wrong option or member of a rule. */
  constructor(options: UsageAlertsOptions) {
    const { rules, intervalMs = 60_000, now = Date.now, onAlert } = options;
    this.#rules = checkAlertRules(rules);
    checkOptions(options);
    this.#options = options;
    this.#intervalMs = Math.max(MIN_INTERVAL_MS, intervalMs);
    this.#now = now;
    this.#states = new KnownStates(options.states ?? new MemoryAlertStates());
    this.#owed = new OwedAlerts({ states: this.#states, onAlert, now });
  }

  /** Evaluates at once, then every interval; never keeps the process alive. */
  start(): void {
    if (this.#timer || this.#abort.signal.aborted || this.#rules.length === 0) return;
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

  status(): UsageAlertsStatus {
    const names = new Set(this.#rules.map(({ name }) => name));
    const active: UsageAlert[] = [];
    for (const [, { alert }] of this.#states.all()) {
      if (alert !== undefined && alert.level !== 'ok' && names.has(alert.rule)) active.push(alert);
    }
    return {
      active: active.toSorted((a, b) => severityOf(b.level) - severityOf(a.level)),
      undelivered: this.#owed.undelivered,
      dropped: this.#owed.dropped,
      ...(this.#lastEvaluated && { lastEvaluated: this.#lastEvaluated }),
      ...(this.#lastError && { lastError: this.#lastError }),
    };
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
      for (const rule of this.#rules) {
        failure = (await this.#evaluateOne(rule, now)) ?? failure;
        if (this.#abort.signal.aborted) return;
      }
      await this.#owed.deliverDue();
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
      const inForce = isRecording ? rule : { ...rule, whenNoData: 'ok' as const };
      const watched = this.#watchedKeys(rule);
      const { reader } = this.#options;
      const found = await evaluateRule(rule, reader, new Date(now), watched, this.#abort.signal);
      await this.#owed.exclusively(async () => {
        const changed = new Map<string, AlertState>();
        for (const finding of found) {
          const name = stateName(rule.name, finding.key);
          const before = this.#states.get(name);
          const next = nextState(inForce, before, finding, now, this.#states.seed);
          if (next) changed.set(name, next.alert ? this.#owed.owing(next.state) : next.state);
        }
        await this.#report(changed);
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
      if (of === rule.name && isWatched) keys.add(key);
    }
    return keys;
  }

  async #report(changed: ReadonlyMap<string, AlertState>): Promise<void> {
    const before = new Map([...changed.keys()].map((name) => [name, this.#states.get(name)]));
    const made = await this.#states.commit(changed);
    for (const name of made) {
      const alert = changed.get(name)?.alert;
      if (alert === undefined || alert.id === before.get(name)?.alert?.id) continue;
      emitAlertEvent(alert);
      this.#owed.deliver(name);
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

function checkOptions({
  reader,
  onAlert,
  states,
  isRecording,
  intervalMs,
  now,
}: UsageAlertsOptions) {
  const refuse = (key: string, value: unknown, allowed: string): never => {
    throw new TokenMeterError('INVALID_OPTION', `alerts: ${key} must be ${allowed}`, {
      value,
      allowed,
    });
  };
  if (typeof reader?.summary !== 'function') refuse('reader', reader, 'a UsageReader');
  if (states !== undefined && typeof states.swap !== 'function') {
    refuse('states', states, 'an AlertStateStore');
  }
  for (const [key, value] of Object.entries({ onAlert, isRecording, now })) {
    if (value !== undefined && typeof value !== 'function') refuse(key, value, 'a function');
  }
  const isInterval =
    intervalMs === undefined || (Number.isFinite(intervalMs) && intervalMs <= MAX_INTERVAL_MS);
  if (!isInterval) refuse('intervalMs', intervalMs, `a number of up to ${MAX_INTERVAL_MS}`);
}
