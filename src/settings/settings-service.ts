import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { isDate } from 'node:util/types';
import { diag } from '@opentelemetry/api';
import { TokenMeterError } from '../errors.ts';
import { Heartbeat } from './heartbeat.ts';
import type { PassingChanges } from './passing-changes.ts';
import { LastKnownGood, defaultLastKnownGoodPath } from './last-known-good.ts';
import { SettingsInForce } from './settings-in-force.ts';
import { type SettingsPatch, type SettingsProblem, SettingsRules } from './settings-schema.ts';
import { StoreClock } from './store-clock.ts';
import { StoreFollower } from './store-follower.ts';
import { StoreReach } from './store-reach.ts';
import { type AuditEntry, epochOf } from './stored-settings.ts';
import type { InstanceReport, SeenInstance, SettingsStore } from './stores/settings-store.ts';
import { withinTurns } from './stores/within-turns.ts';
import { Subscribers } from './subscribers.ts';
import type {
  PatchOptions,
  PatchResult,
  SettingsChange,
  SettingsServiceOptions,
  SettingsStatus,
} from './types.ts';

/** Throws `INVALID_SETTINGS` for what is no time. Whether it is one ahead says the clock of the store. */
function endOf(until: unknown): string | undefined {
  if (until === undefined) return undefined;
  if (isDate(until) && !Number.isNaN(until.getTime())) return until.toISOString();
  throw new TokenMeterError('INVALID_SETTINGS', 'until must be a Date', {
    value: until,
    allowed: 'a Date from now to a year ahead',
  });
}

/**
 * Settings shared by every instance of an application. Reads are in memory, synchronous and never
 * fail; changes go through the store and come back to every instance by it.
 */
export class SettingsService<T extends object> {
  readonly #rules: SettingsRules;
  readonly #store: SettingsStore;
  readonly #options: SettingsServiceOptions<T>;
  readonly #inForce: SettingsInForce<T>;
  readonly #follower: StoreFollower<T>;
  readonly #lastKnownGood: LastKnownGood | undefined;
  readonly #changes: Subscribers<SettingsChange<T>>;
  readonly #reach: StoreReach;
  readonly #heartbeat: Heartbeat;
  readonly #startedAt = new Date().toISOString();
  readonly #log = diag.createComponentLogger({ namespace: 'otel-token-meter/settings' });
  /** Identifies this instance in the instances view. */
  readonly instanceId: string;
  #starting: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  /** Throws `INVALID_OPTION` for a schema or a default that cannot be. */
  constructor(options: SettingsServiceOptions<T>) {
    this.#options = options;
    this.#store = options.store;
    this.#rules = new SettingsRules(options.schema as Readonly<Record<string, unknown>>);
    const given = Object.fromEntries(
      Object.entries(options.defaults ?? {}).filter(([, value]) => value !== undefined),
    );
    const [problem] = this.#rules.problemsOf(given);
    if (problem) {
      throw new TokenMeterError('INVALID_OPTION', `settings defaults: ${problem.detail}`);
    }
    const defaults = this.#rules.document(given);
    const warn = (message: string): void => this.#log.warn(message);
    this.instanceId = options.instance?.id ?? randomUUID();
    this.#inForce = new SettingsInForce(this.#rules, defaults);
    this.#changes = new Subscribers(warn);
    this.#reach = new StoreReach(options.store.kind, warn);
    this.#heartbeat = new Heartbeat((ttlMs) => this.#sendReport(ttlMs));
    const { lastKnownGoodPath: path } = options;
    const { address } = options.store;
    if (path !== false && address !== undefined) {
      this.#lastKnownGood = new LastKnownGood(path ?? defaultLastKnownGoodPath(address), warn);
    }
    this.#follower = new StoreFollower({
      store: options.store,
      clock: new StoreClock(options.now ?? Date.now),
      inForce: this.#inForce,
      reach: this.#reach,
      lastKnownGood: this.#lastKnownGood,
      defaults,
      instance: `${options.instance?.name ?? 'app'}/${this.instanceId}`,
      warn,
      onChange: (previous) => this.#notify(previous),
      onFound: () => this.#heartbeat.soon(),
    });
  }

  /**
   * Reads the store once and begins to follow it. Never rejects because of the store: when it
   * cannot be reached the last known good settings are in force and `status` says `stale`; without
   * any it says `unknown`, and `get()` the defaults.
   */
  start(): Promise<void> {
    this.#starting ??= this.#start();
    return this.#starting;
  }

  /** The settings in force: a frozen snapshot, in memory. */
  get(): T {
    return this.#inForce.settings;
  }

  /** Rises within one epoch. 0 as long as nothing was ever changed. */
  get version(): number {
    return this.#inForce.state.version;
  }

  /** Versions of two epochs do not compare. Empty as long as nothing was ever changed. */
  get epoch(): string {
    return epochOf(this.#inForce.state);
  }

  /** Who made the version in force, and when. */
  get updated(): { readonly at?: string; readonly by?: string } {
    const { updatedAt: at, updatedBy: by } = this.#inForce.state;
    return { ...(at === undefined ? {} : { at }), ...(by === undefined ? {} : { by }) };
  }

  /** What `null` in a patch goes back to. */
  get defaults(): T {
    return this.#inForce.defaults;
  }

  /** Values that hold for a time, by name. */
  get passing(): PassingChanges {
    return this.#follower.passing;
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
   * `SETTINGS_CONFLICT`, `STORE_READ_ONLY`, or `STORE_UNAVAILABLE`; after the last one the change may
   * or may not have been made, which `version` shows as soon as the store is back.
   */
  async patch(mergePatch: SettingsPatch<T>, options: PatchOptions = {}): Promise<PatchResult<T>> {
    const [problem] = this.check(mergePatch);
    if (problem) {
      throw new TokenMeterError('INVALID_SETTINGS', problem.detail, {
        allowed: this.keys.join(', '),
      });
    }
    const until = endOf(options.until);
    await this.start();
    const { outcome, state, refusal } = await this.#follower.write({
      patch: mergePatch as Readonly<Record<string, unknown>>,
      actor: options.actor ?? 'unknown',
      tooMany: (before, after) => this.#rules.tooMany(before, after),
      ...(options.ifVersion === undefined ? {} : { ifVersion: options.ifVersion }),
      ...(options.reason === undefined ? {} : { reason: options.reason }),
      ...(until === undefined ? {} : { until }),
    });
    if (refusal !== undefined) throw refusal;
    if (outcome === 'conflict') {
      throw new TokenMeterError(
        'SETTINGS_CONFLICT',
        `settings are at version ${state.version}, not ${options.ifVersion}`,
        { value: state.version },
      );
    }
    const settings = this.#inForce.documentOf(state.values);
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

  /** For the end of the process: withdraws this instance's report at once, where the store can. */
  leave(): void {
    this.#heartbeat.stop();
    this.#store.forgetNow?.(this.instanceId);
  }

  async #start(): Promise<void> {
    const now = this.#store.readNow?.();
    if (now !== undefined) {
      this.#follower.listener.onTime(now.now);
      this.#follower.listener.onState(now.state);
      this.#follower.listener.onAvailable();
    }
    await this.#follower.loadLastKnownGood();
    const reached = this.#store.start(this.#follower.listener).then(
      () => undefined,
      (error: unknown) => this.#follower.listener.onUnavailable(error),
    );
    await withinTurns(reached, this.#options.startTimeoutMs ?? 2000).catch(() =>
      this.#follower.listener.onUnavailable(new Error('no answer yet')),
    );
    if (!this.#closing) this.#heartbeat.start();
  }

  async #close(): Promise<void> {
    this.#heartbeat.stop();
    this.#follower.end();
    this.#changes.clear();
    this.#reach.end();
    if (this.#starting) {
      await this.#starting;
      await this.#store.forget(this.instanceId).catch(() => undefined);
      await this.#store.stop(this.#follower.listener);
    }
    await this.#lastKnownGood?.settled();
  }

  #notify(previous: T): void {
    const { version, updatedAt, updatedBy } = this.#inForce.state;
    this.#changes.notify({
      settings: this.#inForce.settings,
      previous,
      version,
      ...(updatedAt === undefined ? {} : { updatedAt }),
      ...(updatedBy === undefined ? {} : { updatedBy }),
    });
    this.#heartbeat.soon();
  }

  #applied(): Pick<InstanceReport, 'version' | 'epoch' | 'state'> {
    return { version: this.version, epoch: this.epoch, state: this.status.state };
  }

  async #sendReport(ttlMs: number): Promise<void> {
    const { name = 'app', details } = this.#options.instance ?? {};
    const extra = details?.();
    const report: InstanceReport = {
      id: this.instanceId,
      name,
      host: hostname(),
      pid: process.pid,
      ...this.#applied(),
      startedAt: this.#startedAt,
      ...(extra === undefined ? {} : { details: extra }),
    };
    try {
      await this.#store.report(report, ttlMs);
    } catch (error) {
      // Rights that are missing show here, before anybody tries to change something.
      if (error instanceof TokenMeterError && error.code === 'STORE_READ_ONLY') {
        this.#reach.writable(error);
      }
      throw error;
    }
  }
}
