import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { diag } from '@opentelemetry/api';
import { TokenMeterError } from '../errors.ts';
import { Heartbeat } from './heartbeat.ts';
import { LastKnownGood, defaultLastKnownGoodPath } from './last-known-good.ts';
import {
  type SettingValue,
  type SettingsPatch,
  type SettingsProblem,
  SettingsRules,
} from './settings-schema.ts';
import type { InstanceReport, SeenInstance, SettingsStore } from './stores/settings-store.ts';
import {
  type AuditEntry,
  NOTHING_STORED,
  type StoredSettings,
  sameValues,
} from './stored-settings.ts';
import { StoreReach } from './store-reach.ts';
import { Subscribers } from './subscribers.ts';
import type {
  PatchOptions,
  PatchResult,
  SettingsChange,
  SettingsServiceOptions,
  SettingsStatus,
} from './types.ts';

/**
 * Settings shared by every instance of an application. Reads are in memory, synchronous and never
 * fail; changes go through the store and come back to every instance by it.
 */
export class SettingsService<T extends object> {
  readonly #rules: SettingsRules;
  readonly #defaults: Record<string, SettingValue>;
  readonly #store: SettingsStore;
  readonly #options: SettingsServiceOptions<T>;
  readonly #lastKnownGood: LastKnownGood | undefined;
  readonly #changes: Subscribers<SettingsChange<T>>;
  readonly #reach: StoreReach;
  readonly #heartbeat: Heartbeat;
  readonly #startedAt = new Date().toISOString();
  readonly #log = diag.createComponentLogger({ namespace: 'otel-token-meter/settings' });
  readonly #listener = {
    onState: (state: StoredSettings): void => this.#receive(state),
    onAvailable: (): void => this.#found(),
    onUnavailable: (error: unknown): void => this.#reach.lost(error),
  };
  /** Identifies this instance in the instances view. */
  readonly instanceId: string;
  #stored: StoredSettings = NOTHING_STORED;
  #settings: T;
  #starting: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  #reconciling = false;

  /** Throws `INVALID_OPTION` for a schema or a default that cannot be. */
  constructor(options: SettingsServiceOptions<T>) {
    this.#options = options;
    this.#rules = new SettingsRules(options.schema as Readonly<Record<string, unknown>>);
    const defaults = Object.fromEntries(
      Object.entries(options.defaults ?? {}).filter(([, value]) => value !== undefined),
    );
    const [problem] = this.#rules.problemsOf(defaults);
    if (problem) {
      throw new TokenMeterError('INVALID_OPTION', `settings defaults: ${problem.detail}`);
    }
    this.#defaults = this.#rules.document(defaults);
    this.#settings = this.#documentOf(NOTHING_STORED);
    this.#store = options.store;
    this.instanceId = options.instance?.id ?? randomUUID();
    const warn = (message: string): void => this.#log.warn(message);
    this.#changes = new Subscribers(warn);
    this.#reach = new StoreReach(options.store.kind, warn);
    const path = options.lastKnownGoodPath;
    const { address } = options.store;
    if (path !== false && address !== undefined) {
      this.#lastKnownGood = new LastKnownGood(path ?? defaultLastKnownGoodPath(address), warn);
    }
    this.#heartbeat = new Heartbeat((ttlMs) => this.#store.report(this.#report(), ttlMs));
  }

  /**
   * Reads the store once and begins to follow it. Never rejects because of the store: when it
   * cannot be reached the last known good settings, or the defaults, are in force and `status`
   * says `stale`.
   */
  start(): Promise<void> {
    this.#starting ??= this.#start();
    return this.#starting;
  }

  /** The settings in force: a frozen snapshot, in memory. */
  get(): T {
    return this.#settings;
  }

  /** Only rises. 0 as long as nothing was ever changed. */
  get version(): number {
    return this.#stored.version;
  }

  /** Who made the version in force, and when. */
  get updated(): { readonly at?: string; readonly by?: string } {
    const { updatedAt: at, updatedBy: by } = this.#stored;
    return { ...(at === undefined ? {} : { at }), ...(by === undefined ? {} : { by }) };
  }

  /** What `null` in a patch goes back to. */
  get defaults(): T {
    return this.#documentOf(NOTHING_STORED);
  }

  get status(): SettingsStatus {
    return this.#reach.status;
  }

  /** The names a patch may hold. */
  get keys(): readonly string[] {
    return this.#rules.keys;
  }

  /** Why `patch` would refuse this value; empty when it would not. */
  check(mergePatch: unknown): readonly SettingsProblem[] {
    return this.#rules.problemsOf(mergePatch);
  }

  /**
   * Applies a JSON merge patch (null: back to the configured default). When it resolves, the
   * change is in the store and in force here. Rejects with `INVALID_SETTINGS`,
   * `SETTINGS_CONFLICT`, or `STORE_UNAVAILABLE`; after the last one the change may or may not have
   * been made, and `version` tells as soon as the store is back.
   */
  async patch(mergePatch: SettingsPatch<T>, options: PatchOptions = {}): Promise<PatchResult<T>> {
    const [problem] = this.check(mergePatch);
    if (problem) {
      throw new TokenMeterError('INVALID_SETTINGS', problem.detail, {
        allowed: this.keys.join(', '),
      });
    }
    await this.start();
    const { outcome, state } = await this.#store.write({
      patch: mergePatch as Readonly<Record<string, SettingValue | null>>,
      defaults: this.#defaults,
      known: this.#stored,
      actor: options.actor ?? 'unknown',
      time: new Date().toISOString(),
      ...(options.ifVersion === undefined ? {} : { ifVersion: options.ifVersion }),
      ...(options.reason === undefined ? {} : { reason: options.reason }),
    });
    this.#receive(state);
    if (outcome === 'conflict') {
      throw new TokenMeterError(
        'SETTINGS_CONFLICT',
        `settings are at version ${state.version}, not ${options.ifVersion}`,
        { value: state.version },
      );
    }
    const settings = this.#documentOf(state);
    return { settings, version: state.version, changed: outcome === 'changed' };
  }

  /**
   * Calls back once for each change of version, in order; not for the present state. Errors of the
   * callback are logged and go nowhere else. Returns the function that ends it.
   */
  subscribe(callback: (change: SettingsChange<T>) => void): () => void {
    return this.#changes.add(callback);
  }

  /** Calls back when the store is lost or found again. */
  subscribeStatus(callback: (status: SettingsStatus) => void): () => void {
    return this.#reach.subscribe(callback);
  }

  /** Who changed what when, newest first. Rejects with `STORE_UNAVAILABLE`. */
  async audit(limit = 100): Promise<readonly AuditEntry[]> {
    return await this.#store.audit(limit);
  }

  /** Every instance heard of in the last 30 s; this one as it is now. Rejects with `STORE_UNAVAILABLE`. */
  async instances(): Promise<readonly SeenInstance[]> {
    const instances = await this.#store.instances();
    return instances
      .map((each) => (each.id === this.instanceId ? { ...each, ...this.#applied() } : each))
      .toSorted((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** Withdraws this instance's report and lets the store go. Reads go on working. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #start(): Promise<void> {
    const kept = await this.#lastKnownGood?.load();
    if (kept && kept.version > this.#stored.version) this.#adopt(kept);
    const reached = this.#store.start(this.#listener).then(
      () => undefined,
      (error: unknown) => this.#reach.lost(error),
    );
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        this.#reach.lost(new Error('no answer yet'));
        resolve();
      }, this.#options.startTimeoutMs ?? 2000);
      timer.unref();
    });
    await Promise.race([reached, timeout]);
    clearTimeout(timer);
    if (!this.#closing) this.#heartbeat.start();
  }

  async #close(): Promise<void> {
    this.#heartbeat.stop();
    this.#changes.clear();
    this.#reach.end();
    if (this.#starting) {
      await this.#starting;
      await this.#store.forget(this.instanceId).catch(() => undefined);
      await this.#store.stop(this.#listener);
    }
    await this.#lastKnownGood?.settled();
  }

  #receive(state: StoredSettings): void {
    if (this.#closing) return;
    const { version, values } = this.#stored;
    if (state.version > version) this.#adopt(state);
    else if (state.version < version || !sameValues(state.values, values)) {
      if (!this.#reconciling) void this.#reconcile(state);
    }
  }

  /**
   * What was received is older than what is known, or another content of the same version. Either
   * it is late news, or the store has lost its data: an empty patch finds out and repairs.
   */
  async #reconcile(received: StoredSettings): Promise<void> {
    this.#reconciling = true;
    try {
      const stored = await this.#store.read();
      const { version, values } = this.#stored;
      const behind = stored.version < version;
      if (behind || (stored.version === version && !sameValues(stored.values, values))) {
        const { state } = await this.#store.write({
          patch: {},
          defaults: this.#defaults,
          known: this.#stored,
          actor: `${this.#options.instance?.name ?? 'app'}/${this.instanceId}`,
          time: new Date().toISOString(),
        });
        this.#log.warn(
          behind
            ? `settings store was behind: version ${state.version} restored`
            : `settings were changed outside: now version ${state.version}`,
        );
        if (state.version > this.#stored.version) this.#adopt(state);
      } else if (stored.version > version) {
        this.#adopt(stored);
      }
    } catch {
      // A store that can be read but not written, a mounted file for one: its content counts.
      if (received.version === this.#stored.version) this.#adopt(received);
    } finally {
      this.#reconciling = false;
    }
  }

  #adopt(state: StoredSettings): void {
    const previous = this.#settings;
    this.#stored = state;
    this.#settings = this.#documentOf(state);
    this.#warnOfInvalid(state);
    this.#lastKnownGood?.keep(state);
    const { version, updatedAt, updatedBy } = state;
    this.#changes.tell({
      settings: this.#settings,
      previous,
      version,
      ...(updatedAt === undefined ? {} : { updatedAt }),
      ...(updatedBy === undefined ? {} : { updatedBy }),
    });
    this.#heartbeat.soon();
  }

  #warnOfInvalid({ version, values }: StoredSettings): void {
    for (const [key, value] of Object.entries(values)) {
      // Unknown keys may belong to a newer release of the application beside this one.
      const problem = this.#rules.problemOf(key, value);
      if (problem && problem.code !== 'unknown_key') {
        this.#log.warn(`stored settings, version ${version}: ${problem.detail}; default used`);
      }
    }
  }

  #documentOf({ values }: StoredSettings): T {
    return Object.freeze(this.#rules.document(this.#defaults, values)) as T;
  }

  #found(): void {
    if (this.#reach.found()) this.#heartbeat.soon();
  }

  #applied(): Pick<InstanceReport, 'version' | 'state'> {
    return { version: this.version, state: this.status.state };
  }

  #report(): InstanceReport {
    const { name = 'app', details } = this.#options.instance ?? {};
    const extra = details?.();
    return {
      id: this.instanceId,
      name,
      host: hostname(),
      pid: process.pid,
      ...this.#applied(),
      startedAt: this.#startedAt,
      ...(extra === undefined ? {} : { details: extra }),
    };
  }
}
