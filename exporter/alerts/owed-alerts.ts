import { setTimeout as sleep } from 'node:timers/promises';
import { diag } from '@opentelemetry/api';
import { type AlertState, nextRevision, type OwedState } from './alert-state.ts';
import type { KnownStates } from './known-states.ts';
import type { UsageAlert } from './usage-alert.ts';

/** What is called with each alert, by the name under which its confirmations are kept. */
type AlertReceivers = ReadonlyMap<string, (alert: UsageAlert) => unknown>;

export interface OwedAlertsOptions {
  readonly states: KnownStates;
  readonly receivers: AlertReceivers;
  readonly now: () => number;
}

/** After this time another instance may send what one has begun to. */
const LEASE_MS = 120_000;
const GIVE_UP_AFTER_MS = 86_400_000;
/** For one rule and key. */
const MAX_OWED = 20;
/** A change that loses against another one is tried on top of it. */
const ATTEMPTS = 3;

/** Receivers that have confirmed an alert, by its id. */
type Taken = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * Changes of level on their way to receivers. They are part of the state until each receiver has
 * confirmed them, so neither a crash nor one that is away loses any. All changes of states go
 * through `exclusively`, one after another.
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

  /** The state with an alert on the way, to be sent by this instance. */
  owing(state: AlertState, alert: UsageAlert): AlertState {
    if (this.#options.receivers.size === 0) return state;
    const { owed } = state;
    const alerts = [...(owed?.alerts ?? []), alert];
    this.#dropped += Math.max(0, alerts.length - MAX_OWED);
    return { ...state, owed: { ...owed, until: this.#lease(), alerts: alerts.slice(-MAX_OWED) } };
  }

  /** Sends in order what is owed under this name. */
  deliver(name: string): void {
    if (this.#options.receivers.size === 0 || this.#sending.has(name)) return;
    const sending = this.#send(name)
      .catch((error: unknown) => diag.warn('otel-token-meter: an alert was not sent', error))
      .finally(() => this.#sending.delete(name));
    this.#sending.set(name, sending);
  }

  /** Takes over what nobody is sending at the moment. */
  async deliverDue(): Promise<void> {
    const { states, receivers, now } = this.#options;
    if (receivers.size === 0) return;
    await this.exclusively(async () => {
      const taken = new Map<string, AlertState>();
      for (const [name, state] of states.all()) {
        if (state.owed === undefined || state.owed.until > now()) continue;
        if (this.#sending.has(name)) continue;
        taken.set(
          name,
          this.#revised(state, { ...state.owed, alerts: state.owed.alerts.filter(this.#isInTime) }),
        );
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
    const taken = new Map<string, ReadonlySet<string>>();
    for (;;) {
      const alert = this.#nextOwed(name, taken);
      const isDone = alert === undefined || !(await this.#hand(name, alert, taken));
      const isMore = !isDone && this.#nextOwed(name, taken) !== undefined;
      // Noted before the next one is sent, which has a lease of its own: whoever takes over must not
      // send again, after it, what was confirmed.
      if (taken.size > 0) {
        await this.exclusively(async () => await this.#settle(name, taken, isMore));
      }
      if (isMore) continue;
      // Another change may have been made meanwhile.
      if (isDone || this.#nextOwed(name, taken) === undefined) return;
    }
  }

  /** The oldest alert that a receiver lacks. */
  #nextOwed(name: string, taken: Taken): UsageAlert | undefined {
    const owed = this.#options.states.get(name)?.owed;
    return owed?.alerts.find((alert) => this.#lacking(owed, alert, taken).length > 0);
  }

  #lacking(owed: OwedState | undefined, { id }: UsageAlert, taken: Taken): readonly string[] {
    const before = owed?.taken?.[id] ?? [];
    return [...this.#options.receivers.keys()].filter(
      (name) => !before.includes(name) && taken.get(id)?.has(name) !== true,
    );
  }

  /** Hands an alert to the receivers that lack it, side by side. Resolves to whether all have it. */
  async #hand(
    name: string,
    alert: UsageAlert,
    taken: Map<string, ReadonlySet<string>>,
  ): Promise<boolean> {
    const lacking = this.#lacking(this.#options.states.get(name)?.owed, alert, taken);
    const results = await Promise.all(
      lacking.map(async (receiver) => ((await this.#isTaken(receiver, alert)) ? [receiver] : [])),
    );
    const got = results.flat();
    taken.set(alert.id, new Set([...(taken.get(alert.id) ?? []), ...got]));
    return got.length === lacking.length;
  }

  async #isTaken(receiver: string, alert: UsageAlert): Promise<boolean> {
    try {
      return (await this.#options.receivers.get(receiver)?.(alert)) !== false;
    } catch (error) {
      diag.warn(`otel-token-meter: ${receiver} failed; the alert is delivered again`, error);
      return false;
    }
  }

  /** What is left may be sent by anybody from now on, unless this instance goes on. */
  async #settle(name: string, taken: Taken, isMore: boolean): Promise<void> {
    const { states, now } = this.#options;
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const state = states.get(name);
      if (state?.owed === undefined) return;
      const { owed } = state;
      const alerts = owed.alerts.filter((alert) => this.#lacking(owed, alert, taken).length > 0);
      const confirmed = alerts.flatMap(({ id }) => {
        const names = new Set([...(owed.taken?.[id] ?? []), ...(taken.get(id) ?? [])]);
        return names.size === 0 ? [] : [[id, [...names]] as const];
      });
      const left = {
        until: isMore ? this.#lease() : now(),
        alerts,
        ...(confirmed.length > 0 && { taken: Object.fromEntries(confirmed) }),
      };
      const made = await states.commit(new Map([[name, this.#revised(state, left, left.until)]]));
      if (made.has(name)) return;
      await states.refresh(now());
    }
  }

  #revised(state: AlertState, owed: OwedState, until = this.#lease()): AlertState {
    const { owed: _, ...rest } = state;
    return {
      ...rest,
      revision: nextRevision(state, this.#options.now()),
      ...(owed.alerts.length > 0 && { owed: { ...owed, until } }),
    };
  }

  #lease(): number {
    return this.#options.now() + LEASE_MS;
  }
}
