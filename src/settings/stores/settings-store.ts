import type { AuditEntry, StoredSettings } from '../stored-settings.ts';

/** What one running instance of the application says about itself. */
export interface InstanceReport {
  readonly id: string;
  readonly name: string;
  readonly host: string;
  readonly pid: number;
  /** Settings version this instance applies, within `epoch`. */
  readonly version: number;
  readonly epoch?: string;
  readonly state: 'ready' | 'stale' | 'unknown';
  /** RFC 3339, UTC. */
  readonly startedAt: string;
  /** Whatever the application adds, its exporter's status for one. Plain JSON. */
  readonly details?: unknown;
}

/** A report with the moment it arrived, RFC 3339, UTC. */
export interface SeenInstance extends InstanceReport {
  readonly lastSeenAt: string;
}

/** How a store reports to the service what happens to it. */
export interface SettingsStoreListener {
  /** The clock of the store, ms since 1970, as it was read with each state. All instances have it in common. */
  onTime(now: number): void;
  /** A state was read or pushed; may be old or repeated. */
  onState(state: StoredSettings): void;
  onAvailable(): void;
  onUnavailable(error: unknown): void;
}

/** What becomes of a stored state. */
export interface SettingsUpdate {
  readonly state: StoredSettings;
  /** For the audit log, oldest first. Empty: nothing is written. */
  readonly entries: readonly AuditEntry[];
}

/**
 * Where the settings of a fleet live. A store compares and decides nothing: it holds a state, replaces
 * it, and says when it changes. Every method may reject with `STORE_UNAVAILABLE`, those that write
 * also with `STORE_READ_ONLY`; none waits longer than a few seconds.
 */
export interface SettingsStore {
  readonly kind: 'memory' | 'file' | 'redis';
  /**
   * Names the data, for the last known good copy on this machine. Absent: the data lives on this
   * machine anyway and no copy is kept.
   */
  readonly address?: string;
  /**
   * Reads once and begins to watch. A rejection means that the first attempt failed; the store
   * goes on trying and reports by the listener.
   */
  start(listener: SettingsStoreListener): Promise<void>;
  read(): Promise<StoredSettings>;
  /**
   * The same at once, for stores that can, with their time: the settings are known before the first call then.
   * Undefined where they cannot be read.
   */
  readNow?(): { readonly state: StoredSettings; readonly now: number } | undefined;
  /**
   * Replaces the state by what `decide` makes of it, with its lines of the audit log, in one atomic step.
   * `decide` may be called more than once: when another instance was faster. `now`: as in `onTime`.
   */
  update<U extends SettingsUpdate>(decide: (stored: StoredSettings, now: number) => U): Promise<U>;
  /** Newest first. */
  audit(limit: number): Promise<readonly AuditEntry[]>;
  /** Keeps the report for `ttlMs`. */
  report(instance: InstanceReport, ttlMs: number): Promise<void>;
  instances(): Promise<readonly SeenInstance[]>;
  /** Withdraws a report. */
  forget(instanceId: string): Promise<void>;
  /** The same at once, for stores that can; never throws. */
  forgetNow?(instanceId: string): void;
  /** Ends the watch; with the last listener connections, timers and files are let go. */
  stop(listener: SettingsStoreListener): Promise<void>;
}
