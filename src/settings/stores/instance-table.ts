import type { InstanceReport, SeenInstance } from './settings-store.ts';

/** Reports that expire. */
export class InstanceTable {
  readonly #seen = new Map<string, { readonly instance: SeenInstance; readonly until: number }>();

  add(instance: InstanceReport, ttlMs: number): void {
    const now = Date.now();
    const seen = { ...instance, lastSeenAt: new Date(now).toISOString() };
    this.#seen.set(instance.id, { instance: seen, until: now + ttlMs });
  }

  remove(id: string): void {
    this.#seen.delete(id);
  }

  list(): SeenInstance[] {
    const now = Date.now();
    for (const [id, { until }] of this.#seen) if (until <= now) this.#seen.delete(id);
    return [...this.#seen.values()].map(({ instance }) => instance);
  }
}
