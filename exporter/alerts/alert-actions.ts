import { TokenMeterError } from '../../src/errors.ts';
import type { AlertHistory, AlertHistoryEntry } from './alert-history.ts';
import { type AlertMute, type AlertState, muteName, nextRevision } from './alert-state.ts';
import type { KnownStates } from './known-states.ts';
import type { UsageAlert } from './usage-alert.ts';

/** Who does something about an alert, and why. */
export interface AlertActor {
  readonly by: string;
  readonly note?: string;
}

export interface AlertActionsOptions {
  readonly states: KnownStates;
  readonly history: AlertHistory;
  readonly exclusively: <R>(job: () => Promise<R>) => Promise<R>;
  readonly now: () => number;
}

/** A change that loses against another one is tried on top of it. */
const ATTEMPTS = 5;

/** What people do about alerts, for the whole fleet. Rejects with `STORE_UNAVAILABLE`. */
export class AlertActions {
  readonly #options: AlertActionsOptions;

  constructor(options: AlertActionsOptions) {
    this.#options = options;
  }

  async mute(
    rule: string,
    until: Date,
    { by, note }: AlertActor,
    teams?: readonly string[],
  ): Promise<AlertMute> {
    const at = new Date(this.#options.now()).toISOString();
    const of = teams && { teams };
    const muted = {
      until: until.toISOString(),
      by,
      at,
      ...(note !== undefined && { note }),
      ...of,
    };
    await this.#change(muteName(rule), (state) => ({ ...state, muted }));
    await this.#note({ event: 'muted', rule, until: muted.until, ...actor(by, note), ...of });
    return muted;
  }

  async unmute(rule: string, { by, note }: AlertActor, teams?: readonly string[]): Promise<void> {
    const { states, now } = this.#options;
    const changed = await this.#change(muteName(rule), ({ muted, ...state }) =>
      muted === undefined || Date.parse(muted.until) <= now() ? undefined : state,
    );
    const of = teams && { teams };
    if (changed) await this.#note({ event: 'unmuted', rule, ...actor(by, note), ...of });
    else if (states.problem !== undefined) throw unavailable(states.problem);
  }

  /** Takes over what other instances have reported since the last evaluation. */
  async refresh(): Promise<void> {
    await this.#options.exclusively(async () => await this.#refresh());
  }

  async #refresh(): Promise<void> {
    const { states, now } = this.#options;
    await states.refresh(now()).catch((error: unknown) => {
      throw unavailable(error);
    });
    if (states.problem !== undefined) throw unavailable(states.problem);
  }

  /** False if the alert is over, or the level has changed meanwhile. */
  async acknowledge(
    name: string,
    { id, rule, key, level, teams }: UsageAlert,
    { by, note }: AlertActor,
  ): Promise<boolean> {
    const at = new Date(this.#options.now()).toISOString();
    const acknowledged = { by, at, ...(note !== undefined && { note }) };
    const changed = await this.#change(name, (state) =>
      state.alert?.id === id ? { ...state, acknowledged } : undefined,
    );
    const of = teams && { teams };
    if (changed) {
      await this.#note({ event: 'acknowledged', rule, key, level, ...actor(by, note), ...of });
    }
    return changed;
  }

  /** Resolves to whether there was something to change. */
  async #change(
    name: string,
    change: (state: Partial<AlertState>) => Partial<AlertState> | undefined,
  ): Promise<boolean> {
    const { states, exclusively, now } = this.#options;
    return await exclusively(async () => {
      for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
        await this.#refresh();
        const before = states.get(name);
        const after = change(before ?? {});
        if (after === undefined) return false;
        const state = { ...after, revision: nextRevision(before, now()) };
        if ((await states.commit(new Map([[name, state]]))).has(name)) return true;
      }
      throw unavailable(undefined);
    });
  }

  async #note(entry: Omit<AlertHistoryEntry, 'id' | 'time'>): Promise<void> {
    const { history, states, exclusively, now } = this.#options;
    const time = new Date(now()).toISOString();
    await exclusively(async () => {
      history.add({ id: `${entry.event}_${crypto.randomUUID()}`, time, ...entry });
      await states.refresh(now());
    });
  }
}

function actor(by: string, note: string | undefined): Pick<AlertHistoryEntry, 'actor' | 'note'> {
  return { actor: by, ...(note !== undefined && { note }) };
}

function unavailable(cause: unknown): TokenMeterError {
  if (cause instanceof TokenMeterError) return cause;
  return new TokenMeterError('STORE_UNAVAILABLE', 'alerts: their states cannot be reached', {
    cause,
  });
}
