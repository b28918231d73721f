import { isDeepStrictEqual } from 'node:util';
import type { PassingChanges } from './passing-changes.ts';

/** What a store keeps: the values somebody set, not the defaults of the configuration. */
export interface StoredSettings {
  /** Random id of the store's history, made at its first write. Absent: never written by this package. */
  readonly store?: string;
  /** Rises each time the history was interrupted and restored. Absent with `store`. */
  readonly epoch?: number;
  /** Rises with each change within one epoch. 0 means nothing was ever changed. */
  readonly version: number;
  /** By name; names that the schema of this release does not have are kept as they are. */
  readonly values: Readonly<Record<string, unknown>>;
  /** Values that hold for a time. */
  readonly passing?: PassingChanges;
  /** RFC 3339, UTC. */
  readonly updatedAt?: string;
  readonly updatedBy?: string;
  /** Fields beside these, of a newer release or written by hand; kept as they are. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

/**
 * `restore`: a store that had lost it was given the newest known version again. `adopt`: values that
 * were changed in the store from outside got a version. `end`: the time of a change was over.
 */
export type AuditAction = 'change' | 'restore' | 'adopt' | 'end';

/** One line of the audit log: who changed what, when. */
export interface AuditEntry {
  readonly version: number;
  /** `<store>.<epoch>` that the version belongs to. */
  readonly epoch?: string;
  /** RFC 3339, UTC. */
  readonly time: string;
  /** For `restore` and `adopt` the instance that found out, for `end` who made the change. */
  readonly actor: string;
  readonly action: AuditAction;
  readonly reason?: string;
  /** When the change ends by itself, RFC 3339, UTC. */
  readonly until?: string;
  /** The changed keys only, with the values that were and are in force (defaults included). */
  readonly from: Readonly<Record<string, unknown>>;
  readonly to: Readonly<Record<string, unknown>>;
  /**
   * The merge patch that reverts this change; null where the default was in force. Without what would have ended by
   * itself: no patch brings its end back.
   */
  readonly undo: Readonly<Record<string, unknown>>;
}

export const NOTHING_STORED: StoredSettings = Object.freeze({ version: 0, values: {} });

export function isNothing({ store, version, values, extra = {} }: StoredSettings): boolean {
  return (
    store === undefined &&
    version === 0 &&
    Object.keys(values).length === 0 &&
    Object.keys(extra).length === 0
  );
}

/** The one place where contents are compared: as parsed values, whatever text they came as. */
export function sameValues(a: StoredSettings['values'], b: StoredSettings['values']): boolean {
  return isDeepStrictEqual({ ...a }, { ...b });
}

/** Versions compare only where this is equal. Empty while nothing was ever written. */
export function epochOf({ store, epoch }: StoredSettings): string {
  return store === undefined ? '' : `${store}.${epoch ?? 1}`;
}
