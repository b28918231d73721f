import type { SettingsStore } from './stores/settings-store.ts';
import { Subscribers } from './subscribers.ts';
import type { SettingsStatus } from './types.ts';

const NOTE_EVERY_MS = 60_000;

/** Whether the store can be reached and written, and whether what it holds is known. */
export class StoreReach {
  readonly #store: SettingsStore['kind'];
  readonly #warn: (message: string) => void;
  readonly #subscribers: Subscribers<SettingsStatus>;
  #isKnown = false;
  #lostAt: string | undefined;
  #invalid: string | undefined;
  #refused: string | undefined;
  #refusalNotedAt = -Infinity;
  #status: SettingsStatus;
  #ended = false;

  constructor(store: SettingsStore['kind'], warn: (message: string) => void) {
    this.#store = store;
    this.#warn = warn;
    this.#subscribers = new Subscribers(warn);
    this.#status = { state: 'unknown', store };
  }

  get status(): SettingsStatus {
    return this.#status;
  }

  subscribe(callback: (status: SettingsStatus) => void): () => void {
    return this.#subscribers.add(callback);
  }

  /** A state was put in force; `problem`: what is wrong with it. */
  known(isKnown: boolean, problem: string | undefined): void {
    this.#isKnown = isKnown;
    if (problem !== undefined && problem !== this.#invalid) {
      const effect = isKnown ? 'the value before stays in force' : 'nothing is known yet';
      this.#warn(`stored settings are not valid: ${problem}; ${effect}`);
    }
    this.#invalid = problem;
    this.#update();
  }

  get isLost(): boolean {
    return this.#lostAt !== undefined;
  }

  lost(error: unknown): void {
    if (this.#ended || this.#lostAt !== undefined) return;
    const reason = error instanceof Error ? error.message : String(error);
    const effect = this.#isKnown ? 'last known good in force' : 'and nothing known of it yet';
    this.#warn(`settings store unavailable, ${effect}: ${reason}`);
    this.#lostAt = new Date().toISOString();
    this.#update();
  }

  /** True when it had been lost. */
  found(): boolean {
    if (this.#ended || this.#lostAt === undefined) return false;
    this.#warn('settings store available again');
    this.#lostAt = undefined;
    this.#update();
    return true;
  }

  /** The store can be read, but refused a write; undefined: it took one. */
  writable(refusal?: Error): void {
    if (this.#ended) return;
    this.#refused = refusal?.message;
    const now = performance.now();
    if (refusal && now - this.#refusalNotedAt > NOTE_EVERY_MS) {
      this.#refusalNotedAt = now;
      this.#warn(`settings store refuses changes: ${refusal.message}`);
    }
    this.#update();
  }

  end(): void {
    this.#ended = true;
    this.#subscribers.clear();
  }

  #update(): void {
    const problem = this.#invalid ?? this.#refused;
    const status: SettingsStatus = {
      state: !this.#isKnown ? 'unknown' : this.#lostAt === undefined ? 'ready' : 'stale',
      store: this.#store,
      ...(this.#lostAt !== undefined && { staleSince: this.#lostAt }),
      ...(problem !== undefined && { problem }),
    };
    if (JSON.stringify(status) === JSON.stringify(this.#status)) return;
    this.#status = status;
    this.#subscribers.notify(status);
  }
}
