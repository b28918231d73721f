import type {
  AuditEntry,
  SettingsWrite,
  SettingsWriteResult,
  StoredSettings,
} from '../stored-settings.ts';

/** What one running instance of the application says about itself. */
export interface InstanceReport {
  readonly id: string;
  readonly name: string;
  readonly host: string;
  readonly pid: number;
  /** Settings version this instance applies. */
  readonly version: number;
  readonly state: 'ready' | 'stale';
  /** RFC 3339, UTC. */
  readonly startedAt: string;
  /** Whatever the application adds, its exporter's status for one. Plain JSON. */
  readonly details?: unknown;
}

/** A report with the moment it was heard, RFC 3339, UTC. */
export interface SeenInstance extends InstanceReport {
  readonly lastSeenAt: string;
}

/** How a store tells the service what happens to it. */
export interface SettingsStoreListener {
  /** A state was read or pushed; may be old or repeated. */
  onState(state: StoredSettings): void;
  onAvailable(): void;
  onUnavailable(error: unknown): void;
}

/**
 * Where the settings of a fleet live. Every method may reject with `STORE_UNAVAILABLE`; none waits
 * longer than a few seconds.
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
  /** Compare, write, version and audit in one atomic step. */
  write(write: SettingsWrite): Promise<SettingsWriteResult>;
  /** Newest first. */
  audit(limit: number): Promise<readonly AuditEntry[]>;
  /** Keeps the report for `ttlMs`. */
  report(instance: InstanceReport, ttlMs: number): Promise<void>;
  instances(): Promise<readonly SeenInstance[]>;
  /** Withdraws a report. */
  forget(instanceId: string): Promise<void>;
  /** Ends the watch; with the last listener connections, timers and files are let go. */
  stop(listener: SettingsStoreListener): Promise<void>;
}
