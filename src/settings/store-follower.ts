import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { TokenMeterError } from '../errors.ts';
import { EndTimer } from './end-timer.ts';
import type { LastKnownGood } from './last-known-good.ts';
import { nextEnd, type PassingChanges, stillPassing } from './passing-changes.ts';
import type { SettingsInForce } from './settings-in-force.ts';
import type { StoreClock } from './store-clock.ts';
import { type AppliedWrite, type SettingsWrite, applyWrite } from './settings-write.ts';
import { relationOf } from './store-life.ts';
import type { StoreReach } from './store-reach.ts';
import { type StoredSettings, isNothing } from './stored-settings.ts';
import type { SettingsStore, SettingsStoreListener } from './stores/settings-store.ts';

export interface StoreFollowerOptions<T> {
  readonly store: SettingsStore;
  readonly clock: StoreClock;
  readonly inForce: SettingsInForce<T>;
  readonly reach: StoreReach;
  readonly lastKnownGood: LastKnownGood | undefined;
  readonly defaults: Readonly<Record<string, unknown>>;
  /** Actor of what is restored and adopted. */
  readonly instance: string;
  readonly warn: (message: string) => void;
  /** Another state is in force. */
  readonly onChange: (previous: T) => void;
  /** The store can be reached again. */
  readonly onFound: () => void;
}

/** After a failed attempt to write that a change has ended. */
const RETRY_MS = 15_000;

/** The patch of a write; the rest is known here. */
type Change = Pick<SettingsWrite, 'patch' | 'actor' | 'ifVersion' | 'reason' | 'until' | 'tooMany'>;

/** Keeps what is in force in step with the store, through all that may happen to the store. */
export class StoreFollower<T> {
  readonly #options: StoreFollowerOptions<T>;
  readonly listener: SettingsStoreListener;
  readonly #ends: EndTimer;
  /** It has changes that have ended, which could not be written: that is tried again after a while. */
  #unwritten: StoredSettings | undefined;
  #isRepairing = false;
  /** A state came that would have been repaired, had a repair not been under way. */
  #hasMissedState = false;
  #hasEnded = false;

  constructor(options: StoreFollowerOptions<T>) {
    this.#options = options;
    const { clock, reach, onFound } = options;
    this.#ends = new EndTimer(() => void this.#end(), clock.now);
    this.listener = {
      onTime: (now) => this.#learn(now),
      onState: (state) => this.#receive(state),
      onAvailable: () => {
        if (reach.found()) onFound();
      },
      onUnavailable: (error) => {
        reach.lost(error);
        // What waited for the time of the store has to do without.
        const { inForce } = this.#options;
        if (!clock.isKnown && inForce.isKnown) this.#adopt(inForce.state, { quietly: true });
      },
    };
  }

  /**
   * What decides whether a change has ended, ms since 1970: the time of the store. Before all times until that is
   * known, lest something ends by a wrong clock and comes back; of this machine where the store cannot be reached.
   */
  get #now(): number {
    const { clock, reach } = this.#options;
    return clock.isKnown || reach.isLost ? clock.now() : -Infinity;
  }

  /** Values that hold for a time, by name. */
  get passing(): PassingChanges {
    return stillPassing(this.#options.inForce.state, this.#now);
  }

  #learn(now: number): void {
    this.#options.clock.learn(now);
    this.#awaitEnd();
  }

  #awaitEnd(): void {
    const { state } = this.#options.inForce;
    if (this.#hasEnded || state === this.#unwritten) return;
    this.#ends.set(this.#now === -Infinity ? undefined : nextEnd(state));
  }

  async loadLastKnownGood(): Promise<void> {
    const kept = await this.#options.lastKnownGood?.load();
    const { state } = this.#options.inForce;
    if (kept && isNothing(state)) this.#adopt(kept);
  }

  /** Rejects with `STORE_UNAVAILABLE` or `STORE_READ_ONLY`. */
  async write(change: Change): Promise<AppliedWrite> {
    const applied = await this.#update(change, this.#options.inForce.state);
    this.#receive(applied.state);
    return applied;
  }

  end(): void {
    this.#hasEnded = true;
    this.#ends.set(undefined);
  }

  #receive(stored: StoredSettings): void {
    if (this.#hasEnded) return;
    const { inForce, warn } = this.#options;
    const known = inForce.state;
    const state = inForce.withHandEdits(stored);
    const relation = relationOf(known, state);
    switch (relation) {
      case 'same':
        this.#adopt(state, { quietly: inForce.isKnown });
        return;
      case 'replaced':
        warn(
          `settings store was replaced: its version ${state.version} is in force, no longer version ${known.version} of the store before`,
        );
        this.#adopt(state);
        return;
      case 'newer':
        this.#adopt(state);
        return;
      case 'edited':
        // In force at once: the edit of the store is a decision. The version follows.
        if (!this.#isRepairing) {
          this.#adopt({ ...state, version: Math.max(known.version, state.version) });
        }
        void this.#repair(known);
        return;
      case 'behind':
        void this.#repair(known);
    }
  }

  /**
   * An empty change gives the store what it lacks: the newest known state, or a new version. What the
   * store says meanwhile may be from before the repair or from after it, so it is read again then.
   */
  async #repair(known: StoredSettings): Promise<void> {
    if (this.#isRepairing) {
      this.#hasMissedState = true;
      return;
    }
    this.#isRepairing = true;
    this.#hasMissedState = false;
    let state: StoredSettings | undefined;
    try {
      ({ state } = await this.#update({ patch: {}, actor: this.#options.instance }, known));
      while (this.#hasMissedState) {
        this.#hasMissedState = false;
        state = await this.#options.store.read();
      }
    } catch {
      // Recorded by `StoreReach`; tried again with the next state from the store.
    }
    this.#isRepairing = false;
    if (state) this.#receive(state);
  }

  /**
   * The time of a change is over by the clock of the store. Every instance tries to write that, and the first one
   * does; where none can, it is in force here all the same and written when the store is back.
   */
  async #end(): Promise<void> {
    const { inForce, instance } = this.#options;
    const known = inForce.state;
    this.#unwritten = undefined;
    try {
      this.#receive((await this.#update({ patch: {}, actor: instance }, known)).state);
    } catch {
      if (this.#hasEnded || inForce.state !== known) return;
      this.#unwritten = known;
      this.#adopt(known, { quietly: true });
      this.#ends.set(this.#options.clock.now() + RETRY_MS);
    }
  }

  async #update(change: Change, known: StoredSettings): Promise<AppliedWrite> {
    const { store, inForce, reach, defaults, instance, warn } = this.#options;
    const write = { ...change, defaults, known, instance, newStore: randomUUID() };
    try {
      const applied = await store.update((stored, now) => {
        this.#learn(now);
        const time = new Date(now).toISOString();
        return applyWrite(inForce.withHandEdits(stored), { ...write, time });
      });
      reach.writable();
      const [first] = applied.entries;
      if (first?.action === 'restore') {
        warn(
          `settings store had lost version ${known.version}: restored as epoch ${applied.state.epoch}`,
        );
      } else if (first?.action === 'adopt') {
        warn(`settings were changed in the store from outside: now version ${first.version}`);
      }
      return applied;
    } catch (error) {
      if (error instanceof TokenMeterError && error.code === 'STORE_READ_ONLY') {
        reach.writable(error);
      }
      throw error;
    }
  }

  #adopt(state: StoredSettings, { quietly = false } = {}): void {
    const { inForce, reach, lastKnownGood, onChange } = this.#options;
    const previous = inForce.settings;
    inForce.adopt(state, this.#now);
    reach.known(inForce.isKnown, inForce.problem);
    this.#awaitEnd();
    // A change may have ended meanwhile.
    if (quietly && isDeepStrictEqual(inForce.settings, previous)) return;
    lastKnownGood?.keep(state);
    if (!isNothing(state)) onChange(previous);
  }
}
