import type { SettingsStore } from './stores/settings-store.ts';
import { Subscribers } from './subscribers.ts';
import type { SettingsStatus } from './types.ts';

/** Whether the store can be reached, and since when not. */
export class StoreReach {
  readonly #store: SettingsStore['kind'];
  readonly #warn: (message: string) => void;
  readonly #subscribers: Subscribers<SettingsStatus>;
  #status: SettingsStatus;
  #ended = false;

  constructor(store: SettingsStore['kind'], warn: (message: string) => void) {
    this.#store = store;
    this.#warn = warn;
    this.#subscribers = new Subscribers(warn);
    this.#status = { state: 'ready', store };
  }

  get status(): SettingsStatus {
    return this.#status;
  }

  subscribe(callback: (status: SettingsStatus) => void): () => void {
    return this.#subscribers.add(callback);
  }

  lost(error: unknown): void {
    if (this.#ended || this.#status.state === 'stale') return;
    const reason = error instanceof Error ? error.message : String(error);
    this.#warn(`settings store unavailable, last known good in force: ${reason}`);
    this.#set({ state: 'stale', store: this.#store, staleSince: new Date().toISOString() });
  }

  /** True when it had been lost. */
  found(): boolean {
    if (this.#ended || this.#status.state === 'ready') return false;
    this.#set({ state: 'ready', store: this.#store });
    return true;
  }

  end(): void {
    this.#ended = true;
    this.#subscribers.clear();
  }

  #set(status: SettingsStatus): void {
    this.#status = status;
    this.#subscribers.tell(status);
  }
}
