import type { StoreBacklog, UsageStore } from 'otel-token-meter/exporter';

/** Looking costs a call a file. */
const EVERY_MS = 60_000;

/** What waits on disk, as it was when somebody last looked. */
export class Backlogs {
  readonly #store: Pick<UsageStore, 'backlogs'>;
  readonly #now: () => number;
  #last: readonly StoreBacklog[] = [];
  #lookedAt = -Infinity;

  constructor(store: Pick<UsageStore, 'backlogs'>, now: () => number = () => performance.now()) {
    this.#store = store;
    this.#now = now;
  }

  /** Starts to look again when the last time is long ago. */
  get last(): readonly StoreBacklog[] {
    if (this.#now() - this.#lookedAt >= EVERY_MS) void this.refresh();
    return this.#last;
  }

  /** Never rejects: what cannot be read is what it was. */
  async refresh(): Promise<void> {
    this.#lookedAt = this.#now();
    try {
      this.#last = (await this.#store.backlogs?.()) ?? [];
    } catch {
      // The exporter reports a folder that it cannot use.
    }
  }
}
