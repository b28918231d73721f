import { isDeepStrictEqual } from 'node:util';
import type { TokenMeterError } from '../errors.ts';
import {
  endedBy,
  holding,
  type PassingChange,
  type PassingChanges,
  patched,
  stillPassing,
  storedValue,
} from './passing-changes.ts';
import { type StoreRelation, relationOf } from './store-life.ts';
import { type AuditEntry, type StoredSettings, epochOf } from './stored-settings.ts';
import { refusedEnd, refusedNumber, type TooMany } from './write-refusal.ts';

/** A validated change, with all it takes to apply it to whatever the store holds by then. */
export interface SettingsWrite {
  /** JSON merge patch: null removes. */
  readonly patch: Readonly<Record<string, unknown>>;
  readonly defaults: Readonly<Record<string, unknown>>;
  /** The newest state the writer has seen; a store that is behind it catches up first. */
  readonly known: StoredSettings;
  /** Refuse unless the store is at this version of the epoch of `known`. */
  readonly ifVersion?: number;
  readonly actor: string;
  /** Who restores and adopts. @default actor */
  readonly instance?: string;
  readonly time: string;
  readonly reason?: string;
  /** When the change ends by itself, RFC 3339, UTC. @default never */
  readonly until?: string;
  readonly tooMany?: TooMany;
  /** Identity of a store that has none yet. */
  readonly newStore: string;
}

export interface AppliedWrite {
  readonly outcome: 'changed' | 'unchanged' | 'conflict' | 'refused';
  /** Why it is refused. */
  readonly refusal?: TokenMeterError;
  /** The state after the write. */
  readonly state: StoredSettings;
  /** For the audit log, oldest first. Empty: the store stays as it is. */
  readonly entries: readonly AuditEntry[];
  readonly relation: StoreRelation;
}

/** Applies a write to a stored state. Every store calls this and none compares by itself. */
export function applyWrite(stored: StoredSettings, write: SettingsWrite): AppliedWrite {
  const relation = relationOf(write.known, stored);
  const entries: AuditEntry[] = [];
  let state = withEnded(reconciled(stored, relation, write, entries), write, entries);
  if (isConflict(state, relation, write)) return { outcome: 'conflict', state, entries, relation };
  const refused = (refusal: TokenMeterError): AppliedWrite => {
    return { outcome: 'refused', refusal, state, entries, relation };
  };
  const late = refusedEnd(write.until, write.time);
  if (late !== undefined) return refused(late);
  const values = { ...state.values };
  const held = holding(state);
  const passing: Record<string, PassingChange> = { ...held };
  const { actor, reason, until } = write;
  let changed = false;
  for (const [key, value] of Object.entries(write.patch)) {
    const isSet = Object.hasOwn(values, key);
    // A patch that leaves a value as it is changes nothing; null on a set value always does, since
    // it decides what a later change of the default will mean.
    const before = isSet ? values[key] : write.defaults[key];
    const earlier = passing[key];
    const isSame = value === null ? !isSet : isDeepStrictEqual(value, before);
    if (isSame && earlier?.until === until) continue;
    changed = true;
    delete passing[key];
    if (until !== undefined) {
      // A change that is made longer ends with what was before its beginning.
      const after = earlier ? earlier.after : storedValue(values, key);
      passing[key] = { until, value, after, by: actor };
    }
    if (value === null) delete values[key];
    else values[key] = value;
  }
  if (!changed) return { outcome: 'unchanged', state, entries, relation };
  const before = state.values;
  const many = refusedNumber({ values: before, passing: held }, { values, passing }, write);
  if (many !== undefined) return refused(many);
  state = next(state, { values, passing, by: actor }, write);
  entries.push({
    version: state.version,
    epoch: epochOf(state),
    time: state.updatedAt ?? write.time,
    actor,
    action: 'change',
    ...(reason === undefined ? {} : { reason }),
    ...(until === undefined ? {} : { until }),
    ...withEnds(difference(before, values, write.defaults), { held, passing, before, write }),
  });
  return { outcome: 'changed', state, entries, relation };
}

/** The next version of a state. */
function next(
  { passing: _passing, ...state }: StoredSettings,
  {
    values,
    passing,
    by,
  }: Required<Pick<StoredSettings, 'values' | 'passing'>> & { readonly by: string },
  { newStore, time }: SettingsWrite,
): StoredSettings {
  const { store = newStore, epoch = 1, version } = state;
  return {
    ...state,
    store,
    epoch,
    version: version + 1,
    values,
    ...(Object.keys(passing).length > 0 && { passing }),
    updatedAt: laterOf(time, state.updatedAt),
    updatedBy: by,
  };
}

/** Without the changes whose time is over; of all instances that find out, the first one writes it. */
function withEnded(
  stored: StoredSettings,
  write: SettingsWrite,
  entries: AuditEntry[],
): StoredSettings {
  const now = Date.parse(write.time);
  const ended = endedBy(stored, now);
  const [first] = Object.keys(ended);
  if (first === undefined) return stored;
  const values = patched(stored.values, ended);
  const by = stored.passing?.[first]?.by ?? write.actor;
  const state = next(stored, { values, passing: stillPassing(stored, now), by }, write);
  entries.push({
    version: state.version,
    epoch: epochOf(state),
    time: state.updatedAt ?? write.time,
    actor: by,
    action: 'end',
    ...difference(stored.values, values, write.defaults),
  });
  return state;
}

/** The state to go on from, with a line in the log where the store's content gets another version. */
function reconciled(
  stored: StoredSettings,
  relation: StoreRelation,
  write: SettingsWrite,
  entries: AuditEntry[],
): StoredSettings {
  if (relation !== 'behind' && relation !== 'edited') return stored;
  const { known, time, defaults, newStore, instance = write.actor } = write;
  const store = known.store ?? stored.store ?? newStore;
  const state: StoredSettings =
    relation === 'behind'
      ? {
          ...known,
          store,
          epoch: Math.max(known.epoch ?? 0, stored.epoch ?? 0) + 1,
          ...(stored.extra && { extra: { ...known.extra, ...stored.extra } }),
        }
      : {
          ...withoutReplaced(stored),
          store,
          epoch: Math.max(known.epoch ?? 1, stored.epoch ?? 1),
          version: Math.max(known.version, stored.version) + 1,
          updatedAt: laterOf(time, known.updatedAt),
          updatedBy: instance,
        };
  const before = relation === 'behind' ? stored.values : known.values;
  entries.push({
    version: state.version,
    epoch: epochOf(state),
    time,
    actor: instance,
    action: relation === 'behind' ? 'restore' : 'adopt',
    ...difference(before, state.values, defaults),
  });
  return state;
}

/** A value that was edited by hand is a later decision, also when it comes back to what it was. */
function withoutReplaced(stored: StoredSettings): StoredSettings {
  const { passing: _passing, ...state } = stored;
  const passing = holding(stored);
  return { ...state, ...(Object.keys(passing).length > 0 && { passing }) };
}

function isConflict(
  state: StoredSettings,
  relation: StoreRelation,
  { known, ifVersion }: SettingsWrite,
): boolean {
  if (ifVersion === undefined) return false;
  if (state.version !== ifVersion || relation === 'replaced') return true;
  // The number may be the same by chance where the history was interrupted.
  return relation === 'newer' && known.store !== undefined && epochOf(state) !== epochOf(known)
    ? !isDeepStrictEqual({ ...state.values }, { ...known.values })
    : false;
}

/** Decisions of one history stay in order even where the clocks of two instances disagree. */
function laterOf(time: string, previous: string | undefined): string {
  return previous !== undefined && previous > time ? previous : time;
}

interface Ends {
  readonly held: PassingChanges;
  readonly passing: PassingChanges;
  readonly before: StoredSettings['values'];
  readonly write: SettingsWrite;
}

/**
 * Names values that only last longer or shorter, too. What was to end by itself cannot be brought back by a patch of
 * values: `undo` leaves it out.
 */
function withEnds(
  { from, to, undo }: Pick<AuditEntry, 'from' | 'to' | 'undo'>,
  { held, passing, before, write: { defaults } }: Ends,
): Pick<AuditEntry, 'from' | 'to' | 'undo'> {
  const replaced = Object.keys(held).filter((key) => held[key] !== passing[key]);
  const values = Object.fromEntries(
    replaced
      .filter((key) => !Object.hasOwn(to, key))
      .map((key) => [key, before[key] ?? defaults[key]]),
  );
  return {
    from: { ...from, ...values },
    to: { ...to, ...values },
    undo: Object.fromEntries(Object.entries(undo).filter(([key]) => !replaced.includes(key))),
  };
}

function difference(
  before: StoredSettings['values'],
  after: StoredSettings['values'],
  defaults: Readonly<Record<string, unknown>>,
): Pick<AuditEntry, 'from' | 'to' | 'undo'> {
  const from: Record<string, unknown> = {};
  const to: Record<string, unknown> = {};
  const undo: Record<string, unknown> = {};
  const inForce = (values: StoredSettings['values'], key: string): unknown =>
    Object.hasOwn(values, key) ? values[key] : Object.hasOwn(defaults, key) ? defaults[key] : null;
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const wasSet = Object.hasOwn(before, key);
    if (wasSet === Object.hasOwn(after, key) && isDeepStrictEqual(before[key], after[key]))
      continue;
    from[key] = inForce(before, key);
    to[key] = inForce(after, key);
    undo[key] = wasSet ? before[key] : null;
  }
  return { from, to, undo };
}
