import { isDeepStrictEqual } from 'node:util';

/** A value that holds for a time. */
export interface PassingChange {
  /** RFC 3339, UTC. */
  readonly until: string;
  /** The value for the time; null: that of the configuration. */
  readonly value: unknown;
  /** What comes back; null: the value of the configuration. */
  readonly after: unknown;
  /** Who made the change. */
  readonly by: string;
}

/** By name of the setting. */
export type PassingChanges = Readonly<Record<string, PassingChange>>;

type Values = Readonly<Record<string, unknown>>;

interface State {
  readonly values: Values;
  readonly passing?: PassingChanges;
}

/** The stored value; null where that of the configuration is in force. */
export function storedValue(values: Values, key: string): unknown {
  return Object.hasOwn(values, key) ? values[key] : null;
}

/** The values as a merge patch changes them. */
export function patched(values: Values, patch: Readonly<Record<string, unknown>>): Values {
  const entries = Object.entries({ ...values, ...patch }).filter(([, value]) => value !== null);
  return Object.fromEntries(entries);
}

/** Those that hold. A value that was changed since, in the store itself for one, is a later decision. */
export function holding({ values, passing = {} }: State): PassingChanges {
  const entries = Object.entries(passing).filter(([key, { value }]) =>
    isDeepStrictEqual(storedValue(values, key), value),
  );
  return Object.fromEntries(entries);
}

/** The merge patch that ends those whose time is over. `now` in ms. */
export function endedBy(state: State, now: number): Readonly<Record<string, unknown>> {
  const over = Object.entries(holding(state)).filter(([, change]) => endOf(change) <= now);
  return Object.fromEntries(over.map(([key, { after }]) => [key, after]));
}

/** Those that hold and whose time is not over. `now` in ms. */
export function stillPassing(state: State, now: number): PassingChanges {
  const left = Object.entries(holding(state)).filter(([, change]) => endOf(change) > now);
  return Object.fromEntries(left);
}

/** When the next one ends, ms; undefined where none does. */
export function nextEnd(state: State): number | undefined {
  const times = Object.values(holding(state)).map(endOf);
  return times.length === 0 ? undefined : Math.min(...times);
}

function endOf({ until }: PassingChange): number {
  return Date.parse(until);
}

/** Reads them from what a store holds; undefined for nothing that could be them. */
export function toPassingChanges(json: unknown): PassingChanges | undefined {
  if (typeof json !== 'object' || json === null) return undefined;
  const entries = Object.entries(json as Record<string, Partial<PassingChange> | null>).flatMap(
    ([key, one]) => {
      const { until, value = null, after = null, by = 'unknown' } = one ?? {};
      const isTime = typeof until === 'string' && !Number.isNaN(Date.parse(until));
      return isTime && key !== '__proto__' ? [[key, { until, value, after, by }] as const] : [];
    },
  );
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}
