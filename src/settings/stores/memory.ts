import { type AuditEntry, NOTHING_STORED, type StoredSettings } from '../stored-settings.ts';
import { InstanceTable } from './instance-table.ts';
import type {
  InstanceReport,
  SeenInstance,
  SettingsStore,
  SettingsStoreListener,
  SettingsUpdate,
} from './settings-store.ts';

const AUDIT_LIMIT = 10_000;

/** Settings of one process, gone with it. Services that share the object share the settings. */
export class MemorySettingsStore implements SettingsStore {
  readonly kind = 'memory';
  readonly #listeners = new Set<SettingsStoreListener>();
  readonly #instances = new InstanceTable();
  readonly #audit: AuditEntry[] = [];
  #state: StoredSettings = NOTHING_STORED;

  async start(listener: SettingsStoreListener): Promise<void> {
    this.#listeners.add(listener);
    listener.onTime(Date.now());
    listener.onState(this.#state);
    listener.onAvailable();
  }

  async read(): Promise<StoredSettings> {
    return this.#state;
  }

  async update<U extends SettingsUpdate>(
    decide: (stored: StoredSettings, now: number) => U,
  ): Promise<U> {
    const now = Date.now();
    const update = decide(this.#state, now);
    if (update.entries.length === 0) return update;
    this.#state = update.state;
    this.#audit.push(...update.entries);
    if (this.#audit.length > AUDIT_LIMIT) this.#audit.splice(0, this.#audit.length - AUDIT_LIMIT);
    for (const listener of this.#listeners) {
      listener.onTime(now);
      listener.onState(update.state);
    }
    return update;
  }

  async audit(limit: number): Promise<readonly AuditEntry[]> {
    return this.#audit.slice(-limit).toReversed();
  }

  async report(instance: InstanceReport, ttlMs: number): Promise<void> {
    this.#instances.add(instance, ttlMs);
  }

  async instances(): Promise<readonly SeenInstance[]> {
    return this.#instances.list();
  }

  async forget(instanceId: string): Promise<void> {
    this.#instances.remove(instanceId);
  }

  async stop(listener: SettingsStoreListener): Promise<void> {
    this.#listeners.delete(listener);
  }
}
