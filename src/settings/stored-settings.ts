import type { SettingValue } from './settings-schema.ts';

/** What a store keeps: the values somebody set, not the defaults of the configuration. */
export interface StoredSettings {
  /** 0 means nothing was ever changed. */
  readonly version: number;
  readonly values: Readonly<Record<string, SettingValue>>;
  /** RFC 3339, UTC. */
  readonly updatedAt?: string;
  readonly updatedBy?: string;
}

/** `restore`: a store that had lost it was given the newest known version again. `adopt`: values that were changed in the store from outside got a version. */
export type AuditAction = 'change' | 'restore' | 'adopt';

/** One line of the audit log: who changed what, when. */
export interface AuditEntry {
  readonly version: number;
  /** RFC 3339, UTC. */
  readonly time: string;
  readonly actor: string;
  readonly action: AuditAction;
  readonly reason?: string;
  /** The changed keys only, with the values that were and are in force (defaults included). */
  readonly from: Readonly<Record<string, SettingValue>>;
  readonly to: Readonly<Record<string, SettingValue>>;
  /** The merge patch that takes this change back; null where the default was in force. */
  readonly undo: Readonly<Record<string, SettingValue | null>>;
}

/** A validated change on its way to a store, with all a store needs to apply it atomically. */
export interface SettingsWrite {
  readonly patch: Readonly<Record<string, SettingValue | null>>;
  readonly defaults: Readonly<Record<string, SettingValue>>;
  /** The newest state the writer has seen; a store that is behind it catches up first. */
  readonly known: StoredSettings;
  /** Refuse unless the store is at this version. */
  readonly ifVersion?: number;
  readonly actor: string;
  readonly time: string;
  readonly reason?: string;
}

export interface SettingsWriteResult {
  readonly outcome: 'changed' | 'unchanged' | 'conflict';
  /** The state after the write. */
  readonly state: StoredSettings;
}

export const NOTHING_STORED: StoredSettings = Object.freeze({ version: 0, values: {} });

export function sameValues(a: StoredSettings['values'], b: StoredSettings['values']): boolean {
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && a[key] === b[key])
  );
}

/**
 * Applies a write to a stored state. The Lua script of the Redis store does the same; the
 * conformance suite holds both to it.
 */
export function applyWrite(
  stored: StoredSettings,
  write: SettingsWrite,
): SettingsWriteResult & { readonly entries: readonly AuditEntry[] } {
  const entries: AuditEntry[] = [];
  let state = reconcile(stored, write, entries);
  if (write.ifVersion !== undefined && write.ifVersion !== state.version) {
    return { outcome: 'conflict', state, entries };
  }
  const values: Record<string, SettingValue> = { ...state.values };
  const from: Record<string, SettingValue> = {};
  const to: Record<string, SettingValue> = {};
  const undo: Record<string, SettingValue | null> = {};
  let changed = false;
  for (const [key, value] of Object.entries(write.patch)) {
    const isSet = Object.hasOwn(values, key);
    const fallback = write.defaults[key] as SettingValue;
    const before = isSet ? (values[key] as SettingValue) : fallback;
    // A patch that leaves a value as it is changes nothing; null on a set value always does, since
    // it decides what a later change of the default will mean.
    if (value === null ? !isSet : value === before) continue;
    changed = true;
    from[key] = before;
    to[key] = value ?? fallback;
    undo[key] = isSet ? before : null;
    if (value === null) delete values[key];
    else values[key] = value;
  }
  if (!changed) return { outcome: 'unchanged', state, entries };
  const { actor, time, reason } = write;
  state = { version: state.version + 1, values, updatedAt: time, updatedBy: actor };
  entries.push({
    version: state.version,
    time,
    actor,
    action: 'change',
    ...(reason === undefined ? {} : { reason }),
    from,
    to,
    undo,
  });
  return { outcome: 'changed', state, entries };
}

function reconcile(
  stored: StoredSettings,
  { known, actor, time }: SettingsWrite,
  entries: AuditEntry[],
): StoredSettings {
  const entry = { time, actor, from: {}, to: {}, undo: {} };
  if (stored.version < known.version) {
    entries.push({ ...entry, version: known.version, action: 'restore' });
    return known;
  }
  if (stored.version > known.version || sameValues(stored.values, known.values)) return stored;
  // One version with two contents would leave half of a fleet on each for ever: the store's
  // content wins, under a new version that everybody follows.
  const version = stored.version + 1;
  entries.push({ ...entry, version, action: 'adopt' });
  return { version, values: stored.values, updatedAt: time, updatedBy: actor };
}
