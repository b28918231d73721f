import { randomUUID } from 'node:crypto';
import {
  type AlertState,
  isForgettable,
  isStateName,
  muteName,
  parseState,
} from './alert-state.ts';
import { AlertHistory } from './alert-history.ts';
import type { AlertStateChange, AlertStateStore } from './state-store.ts';

interface Known {
  readonly state: AlertState;
  /** The text that the store held when it was asked last. */
  readonly stored: string | undefined;
}

/** Entry whose random text makes the ids of one store differ from those of any other. */
const SEED = 'seed';

/**
 * The states of the store, and what this instance has changed while the store was away. Of two
 * versions of a state the one with the higher revision wins, so a store that comes back empty or
 * old neither repeats an alert nor forgets one.
 */
export class KnownStates {
  readonly #store: AlertStateStore;
  readonly #known = new Map<string, Known>();
  readonly #history: AlertHistory;
  #seed: string | undefined;
  #problem: unknown;

  constructor(store: AlertStateStore, history: AlertHistory = new AlertHistory()) {
    this.#store = store;
    this.#history = history;
  }

  /** Why the store cannot be used at the moment. */
  get problem(): unknown {
    return this.#problem;
  }

  /** Only after a `refresh`. */
  get seed(): string {
    return this.#seed as string;
  }

  get(name: string): AlertState | undefined {
    return this.#known.get(name)?.state;
  }

  isMuted(rule: string, now: number): boolean {
    const { muted } = this.get(muteName(rule)) ?? {};
    return muted !== undefined && Date.parse(muted.until) > now;
  }

  *all(): Generator<readonly [name: string, state: AlertState]> {
    for (const [name, { state }] of this.#known) yield [name, state];
  }

  /** Rejects if the store cannot be read and never could: then nothing is known. */
  async refresh(now: number): Promise<void> {
    try {
      const entries = new Map(await this.#store.read());
      this.#seed = await this.#seedOf(entries);
      const changes = this.#merge(entries, now);
      if (changes.length > 0) this.#note(changes, await this.#store.swap(changes));
      await this.#history.exchange(entries, this.#store);
      this.#problem = undefined;
    } catch (error) {
      this.#problem = error;
      if (this.#seed === undefined) throw error;
    }
  }

  /**
   * Makes changes for the whole fleet, and returns the names of those that nobody else made. If the
   * store is away they are made here alone, and reach it with a later `refresh`.
   */
  async commit(states: ReadonlyMap<string, AlertState>): Promise<ReadonlySet<string>> {
    if (states.size === 0) return new Set();
    const changes = [...states].map(([name, state]) => ({
      name,
      before: this.#known.get(name)?.stored,
      after: JSON.stringify(state),
    }));
    try {
      const made = await this.#store.swap(changes);
      for (const name of made)
        this.#known.set(name, { state: states.get(name)!, stored: undefined });
      this.#note(changes, made);
      return made;
    } catch (error) {
      this.#problem = error;
      for (const { name, before } of changes) {
        this.#known.set(name, { state: states.get(name)!, stored: before });
      }
      return new Set(states.keys());
    }
  }

  #note(changes: readonly AlertStateChange[], made: ReadonlySet<string>): void {
    for (const { name, after } of changes) {
      const known = this.#known.get(name);
      if (known && made.has(name)) this.#known.set(name, { ...known, stored: after });
    }
  }

  async #seedOf(entries: ReadonlyMap<string, string>): Promise<string> {
    const stored = entries.get(SEED);
    if (stored !== undefined) return stored;
    const own = this.#seed ?? randomUUID();
    const made = await this.#store.swap([{ name: SEED, before: undefined, after: own }]);
    return made.has(SEED) ? own : ((await this.#store.read()).get(SEED) ?? own);
  }

  /** Takes over what the store knows, and returns what it has to learn. */
  #merge(entries: ReadonlyMap<string, string>, now: number): readonly AlertStateChange[] {
    const changes: AlertStateChange[] = [];
    for (const name of new Set([...entries.keys(), ...this.#known.keys()])) {
      if (!isStateName(name)) continue;
      const text = entries.get(name);
      const stored = text === undefined ? undefined : parseState(text);
      const own = this.#known.get(name)?.state;
      const isOwnNewer = own !== undefined && own.revision > (stored?.revision ?? 0);
      const state = isOwnNewer ? own : stored;
      if (state === undefined || isForgettable(state, now)) {
        this.#known.delete(name);
        if (text !== undefined) changes.push({ name, before: text, after: undefined });
        continue;
      }
      this.#known.set(name, { state, stored: text });
      if (isOwnNewer) changes.push({ name, before: text, after: JSON.stringify(state) });
    }
    return changes;
  }
}
