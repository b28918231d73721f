import { setTimeout as sleep } from 'node:timers/promises';
import { diag } from '@opentelemetry/api';
import { type AlertState, nextRevision } from './alert-state.ts';
import type { KnownStates } from './known-states.ts';
import type { UsageAlert } from './usage-alert.ts';

export interface OwedAlertsOptions {
  readonly states: KnownStates;
  readonly onAlert: ((alert: UsageAlert) => unknown) | undefined;
  readonly now: () => number;
}

/** After this time another instance may send what one has begun to. */
const LEASE_MS = 120_000;
const GIVE_UP_AFTER_MS = 86_400_000;
/** For one rule and key. */
const MAX_OWED = 20;
/** A change that loses against another one is tried on top of it. */
const ATTEMPTS = 3;

/**
 * Changes of level on their way to `onAlert`. They are part of the state until it confirms them, so
 * neither a crash nor a receiver that is away loses one. All changes of states go through
 * `exclusively`, one after another.
 */
export class OwedAlerts {
  readonly #options: OwedAlertsOptions;
  readonly #sending = new Map<string, Promise<void>>();
  #queue: Promise<unknown> = Promise.resolve();
  #dropped = 0;

  constructor(options: OwedAlertsOptions) {
    this.#options = options;
  }

  get dropped(): number {
    return this.#dropped;
  }

  get undelivered(): number {
    return [...this.#options.states.all()].reduce(
      (sum, [, { owed }]) => sum + (owed?.alerts.length ?? 0),
      0,
    );
  }

  exclusively<R>(job: () => Promise<R>): Promise<R> {
    const result = this.#queue.then(job);
    this.#queue = result.catch(() => undefined);
    return result;
  }

  /** The state with its alert on the way, to be sent by this instance. */
  owing(state: AlertState): AlertState {
    const { alert, owed } = state;
    if (this.#options.onAlert === undefined || alert === undefined) return state;
    const alerts = [...(owed?.alerts ?? []), alert];
    this.#dropped += Math.max(0, alerts.length - MAX_OWED);
    return { ...state, owed: { until: this.#lease(), alerts: alerts.slice(-MAX_OWED) } };
  }

  /** Sends in order what is owed under this name. */
  deliver(name: string): void {
    if (this.#options.onAlert === undefined || this.#sending.has(name)) return;
    const sending = this.#send(name)
      .catch((error: unknown) => diag.warn('otel-token-meter: an alert was not sent', error))
      .finally(() => this.#sending.delete(name));
    this.#sending.set(name, sending);
  }

  /** Takes over what nobody is sending at the moment. */
  async deliverDue(): Promise<void> {
    const { states, onAlert, now } = this.#options;
    if (onAlert === undefined) return;
    await this.exclusively(async () => {
      const taken = new Map<string, AlertState>();
      for (const [name, state] of states.all()) {
        if (state.owed === undefined || state.owed.until > now()) continue;
        if (this.#sending.has(name)) continue;
        taken.set(name, this.#revised(state, state.owed.alerts.filter(this.#isInTime)));
      }
      for (const name of await states.commit(taken)) this.deliver(name);
    });
  }

  /** Resolves when nothing is on its way any more, or after a while. */
  async settled(limitMs: number): Promise<void> {
    const limit = new AbortController();
    const sent = Promise.all(this.#sending.values());
    await Promise.race([sent, sleep(limitMs, undefined, { ref: false, signal: limit.signal })]);
    limit.abort();
  }

  readonly #isInTime = ({ rule, time }: UsageAlert): boolean => {
    if (this.#options.now() - Date.parse(time) <= GIVE_UP_AFTER_MS) return true;
    this.#dropped += 1;
    diag.warn(`otel-token-meter: an alert of ${rule} is given up; nobody took it for a day`);
    return false;
  };

  async #send(name: string): Promise<void> {
    const done = new Set<string>();
    let alert = this.#nextOwed(name, done);
    while (alert !== undefined && (await this.#hand(alert))) {
      done.add(alert.id);
      alert = this.#nextOwed(name, done);
      if (alert !== undefined) continue;
      await this.exclusively(async () => await this.#settle(name, done));
      // Another change may have been made meanwhile.
      alert = this.#nextOwed(name, done);
    }
    if (alert !== undefined) await this.exclusively(async () => await this.#settle(name, done));
  }

  #nextOwed(name: string, done: ReadonlySet<string>): UsageAlert | undefined {
    return this.#options.states.get(name)?.owed?.alerts.find(({ id }) => !done.has(id));
  }

  async #hand(alert: UsageAlert): Promise<boolean> {
    try {
      return (await this.#options.onAlert?.(alert)) !== false;
    } catch (error) {
      diag.warn('otel-token-meter: onAlert failed; the alert is delivered again', error);
      return false;
    }
  }

  /** What is left may be sent by anybody from now on. */
  async #settle(name: string, done: ReadonlySet<string>): Promise<void> {
    const { states, now } = this.#options;
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const state = states.get(name);
      if (state?.owed === undefined) return;
      const left = state.owed.alerts.filter(({ id }) => !done.has(id));
      const made = await states.commit(new Map([[name, this.#revised(state, left, now())]]));
      if (made.has(name)) return;
      await states.refresh(now());
    }
  }

  #revised(state: AlertState, alerts: readonly UsageAlert[], until = this.#lease()): AlertState {
    const { owed: _, ...rest } = state;
    return {
      ...rest,
      revision: nextRevision(state, this.#options.now()),
      ...(alerts.length > 0 && { owed: { until, alerts } }),
    };
  }

  #lease(): number {
    return this.#options.now() + LEASE_MS;
  }
}
