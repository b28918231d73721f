import type { SettingsSchema } from './settings-schema.ts';
import type { SettingsStore } from './stores/settings-store.ts';

export interface SettingsServiceOptions<T> {
  readonly schema: SettingsSchema<T>;
  /** Defaults of the configuration, over those of the schema. */
  readonly defaults?: Partial<T>;
  readonly store: SettingsStore;
  /**
   * File for the last known good settings of a remote store; false keeps none.
   * @default one for each store address under `$XDG_STATE_HOME/otel-token-meter`
   */
  readonly lastKnownGoodPath?: string | false;
  /** Longest wait of `start()` for the store, ms. @default 2000 */
  readonly startTimeoutMs?: number;
  /** Clock of this machine, ms since 1970; changes end by that of the store. @default Date.now */
  readonly now?: () => number;
  /** How this instance shows in the instances view. */
  readonly instance?: {
    /** @default a random id */
    readonly id?: string;
    /** @default "app" */
    readonly name?: string;
    /** Called at each report, every 10 s; plain JSON, such as the exporter's status. */
    readonly details?: () => unknown;
  };
}

/** One change of the settings in force, as subscribers receive it. */
export interface SettingsChange<T> {
  readonly settings: T;
  readonly previous: T;
  /** Rises, except where the store was replaced by another one. */
  readonly version: number;
  readonly updatedAt?: string;
  readonly updatedBy?: string;
}

export interface SettingsStatus {
  /**
   * `ready`: the store answers. `stale`: it cannot be reached and the last known good settings are in
   * force. `unknown`: it has never answered and nothing is known from before, or what it holds is not
   * valid: `get()` returns the defaults, which nobody may have decided on.
   */
  readonly state: 'ready' | 'stale' | 'unknown';
  readonly store: SettingsStore['kind'];
  /** RFC 3339, UTC: since when the store has not been reachable. */
  readonly staleSince?: string;
  /** For people: why the store refuses changes, or which stored value is not valid. */
  readonly problem?: string;
}

export interface PatchOptions {
  /** Refuse with `SETTINGS_CONFLICT` unless the store is at this version of the epoch known here. */
  readonly ifVersion?: number;
  /** Who, for the audit log. @default "unknown" */
  readonly actor?: string;
  /** Why, for the audit log. */
  readonly reason?: string;
  /**
   * When the change ends by itself: the values that were before come back on every instance. At most a year
   * ahead. @default never
   */
  readonly until?: Date;
}

export interface PatchResult<T> {
  readonly settings: T;
  readonly version: number;
  /** False when the patch left everything as it was. */
  readonly changed: boolean;
}
