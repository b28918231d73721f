import { setTimeout as sleep } from 'node:timers/promises';
import { diag } from '@opentelemetry/api';
import { type AlertState, nextRevision, type OwedState } from './alert-state.ts';
import { heldBack, isLetThrough } from './held-back.ts';
import type { KnownStates } from './known-states.ts';
import { isWrongClock } from './next-level.ts';
import type { UsageAlert } from './usage-alert.ts';

/** What is called with each alert, by the name under which its confirmations are kept. */
type AlertReceivers = ReadonlyMap<string, (alert: UsageAlert) => unknown>;

export interface OwedAlertsOptions {
  readonly states: KnownStates;
  readonly receivers: AlertReceivers;
  /** Names whose alerts are handed to receivers at once. */
  readonly maxSending: number;
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

interface Delivery {
  readonly taken: Taken;
  /** This instance goes on with another alert of the name. */
  readonly isMore: boolean;
}

/**
 * Changes of level on their way to receivers. They are part of the state until each receiver has
 * confirmed them, so neither a crash nor one that is away loses any. All changes of states go
 * through `exclusively`, one after another.
 */
export class OwedAlerts {
  readonly #options: OwedAlertsOptions;
  readonly #sending = new Map<string, Promise<void>>();
  /** Names whose turn comes when one that is being sent is done. */
  readonly #waiting = new Set<string>();
  readonly #unsettled = new Map<string, Delivery>();
  #settling: Promise<void> | undefined;
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
    const { receivers, maxSending } = this.#options;
    if (receivers.size === 0 || this.#sending.has(name)) return;
    if (this.#sending.size >= maxSending) {
      this.#waiting.add(name);
      return;
    }
    this.#waiting.delete(name);
    const sending = this.#send(name)
      .catch((error: unknown) => diag.warn('otel-token-meter: an alert was not sent', error))
      .finally(() => {
        this.#sending.delete(name);
        this.#deliverWaiting();
      });
    this.#sending.set(name, sending);
  }

  #deliverWaiting(): void {
    for (const name of this.#waiting) {
      if (this.#sending.size >= this.#options.maxSending) return;
      this.#waiting.delete(name);
      const owed = this.#options.states.get(name)?.owed;
      // Otherwise it is due, for whichever instance comes first.
      if (owed && this.#isLeased(owed)) this.deliver(name);
    }
  }

  /** Takes over what nobody is sending at the moment. */
  async deliverDue(): Promise<void> {
    const { states, receivers } = this.#options;
    if (receivers.size === 0) return;
    await this.exclusively(async () => {
      const taken = new Map<string, AlertState>();
      for (const [name, state] of states.all()) {
        if (state.owed === undefined || this.#isLeased(state.owed)) continue;
        if (this.#sending.has(name)) continue;
        const due = this.#isMuted(state) ? heldBack(state) : state;
        const alerts = due.owed?.alerts.filter(this.#isInTime) ?? [];
        taken.set(name, this.#revised(due, { ...state.owed, alerts }));
      }
      for (const name of await states.commit(taken)) this.deliver(name);
    });
  }

  /** Resolves when nothing is on its way any more, or after a while. */
  async settled(limitMs: number): Promise<void> {
    this.#waiting.clear();
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
      if (taken.size > 0) await this.#settle(name, { taken, isMore });
      if (isMore) continue;
      // Another change may have been made meanwhile.
      if (isDone || this.#nextOwed(name, taken) === undefined) return;
    }
  }

  /** The oldest alert that a receiver lacks. */
  #nextOwed(name: string, taken: Taken): UsageAlert | undefined {
    const owed = this.#options.states.get(name)?.owed;
    const next = owed?.alerts.find((alert) => this.#lacking(owed, alert, taken).length > 0);
    // What a mute keeps back stays owed until `deliverDue`.
    return next && this.#isMutedRule(next.rule) && !isLetThrough(next) ? undefined : next;
  }

  #isMuted({ alert }: AlertState): boolean {
    return alert !== undefined && this.#isMutedRule(alert.rule);
  }

  #isMutedRule(rule: string): boolean {
    return this.#options.states.isMuted(rule, this.#options.now());
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

  /**
   * What is left may be sent by anybody from now on, unless this instance goes on. Names that are done
   * meanwhile share a commit.
   */
  async #settle(name: string, delivery: Delivery): Promise<void> {
    this.#unsettled.set(name, delivery);
    this.#settling ??= this.exclusively(async () => {
      this.#settling = undefined;
      const batch = new Map(this.#unsettled);
      this.#unsettled.clear();
      await this.#settleAll(batch);
    });
    await this.#settling;
  }

  async #settleAll(batch: Map<string, Delivery>): Promise<void> {
    const { states, now } = this.#options;
    for (let attempt = 1; attempt <= ATTEMPTS && batch.size > 0; attempt++) {
      const settled = new Map<string, AlertState>();
      for (const [name, delivery] of batch) {
        const state = states.get(name);
        if (state?.owed === undefined) batch.delete(name);
        else settled.set(name, this.#settled(state, state.owed, delivery));
      }
      for (const name of await states.commit(settled)) batch.delete(name);
      if (batch.size > 0) await states.refresh(now());
    }
  }

  #settled(state: AlertState, owed: OwedState, { taken, isMore }: Delivery): AlertState {
    const alerts = owed.alerts.filter((alert) => this.#lacking(owed, alert, taken).length > 0);
    const confirmed = alerts.flatMap(({ id }) => {
      const names = new Set([...(owed.taken?.[id] ?? []), ...(taken.get(id) ?? [])]);
      return names.size === 0 ? [] : [[id, [...names]] as const];
    });
    const until = isMore ? this.#lease() : this.#options.now();
    const left = {
      until,
      alerts,
      ...(confirmed.length > 0 && { taken: Object.fromEntries(confirmed) }),
    };
    return this.#revised(state, left, until);
  }

  #revised(state: AlertState, owed: OwedState, until = this.#lease()): AlertState {
    const { owed: _, ...rest } = state;
    return {
      ...rest,
      revision: nextRevision(state, this.#options.now()),
      ...(owed.alerts.length > 0 && { owed: { ...owed, until } }),
    };
  }

  /** A lease of a clock that was ahead is none. */
  #isLeased({ until }: OwedState): boolean {
    const now = this.#options.now();
    return until > now && !isWrongClock(until - LEASE_MS, now);
  }

  #lease(): number {
    return this.#options.now() + LEASE_MS;
  }
}
