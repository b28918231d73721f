import type { AlertLevel, AlertMetric } from './alert-rule.ts';
import type { AlertStateStore } from './state-store.ts';
import type { UsageAlert } from './usage-alert.ts';

/** What has happened to a rule: a change of level, or what somebody did about it. */
export interface AlertHistoryEntry {
  readonly id: string;
  /** RFC 3339. */
  readonly time: string;
  readonly event: 'level' | 'acknowledged' | 'muted' | 'unmuted';
  readonly rule: string;
  /** Of a change of level or an acknowledgement; `null` for all calls. */
  readonly key?: string | null;
  readonly level?: AlertLevel;
  readonly previousLevel?: AlertLevel;
  readonly metric?: AlertMetric;
  readonly value?: number;
  readonly atLeast?: true;
  readonly threshold?: number;
  /** As of `UsageAlert`. */
  readonly teams?: readonly string[];
  /** Who acknowledged or muted. */
  readonly actor?: string;
  /** End of a mute, RFC 3339. */
  readonly until?: string;
  readonly note?: string;
}

/** Entry of the store. */
const NAME = 'history';
const MAX_ENTRIES = 200;
const ATTEMPTS = 5;

/** The newest changes of all rules, shared through the store of the states. */
export class AlertHistory {
  #known: readonly AlertHistoryEntry[] = [];
  #added: AlertHistoryEntry[] = [];

  /** Newest first. */
  get entries(): readonly AlertHistoryEntry[] {
    return newest([...this.#known, ...this.#added]).toReversed();
  }

  /** Whether there is something that the store lacks. */
  get isAhead(): boolean {
    return this.#added.length > 0;
  }

  /** Reaches the other instances with the next `exchange`. */
  add(entry: AlertHistoryEntry): void {
    const added = [...this.#added, entry];
    // Sorting with each of a thousand changes at once would block.
    this.#added = added.length > 2 * MAX_ENTRIES ? [...newest(added)] : added;
  }

  /** Takes over what others added, and stores what this instance did. Rejects as the store does. */
  async exchange(entries: ReadonlyMap<string, string>, store: AlertStateStore): Promise<void> {
    let before = entries.get(NAME);
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const stored = before === undefined ? undefined : parse(before);
      // A store that comes back empty gets what is known.
      const mine = stored === undefined ? [...this.#known, ...this.#added] : this.#added;
      const ids = new Set(stored?.map(({ id }) => id));
      const missing = mine.filter(({ id }) => !ids.has(id));
      if (missing.length > 0) {
        const after = newest([...(stored ?? []), ...missing]);
        const change = { name: NAME, before, after: JSON.stringify(after) };
        if (!(await store.swap([change])).has(NAME)) {
          before = (await store.read()).get(NAME);
          continue;
        }
        this.#known = after;
      } else this.#known = stored ?? [];
      this.#added = this.#added.filter((entry) => !mine.includes(entry));
      return;
    }
  }
}

export function levelEntry(alert: UsageAlert): AlertHistoryEntry {
  const { id, time, rule, key, level, previousLevel, metric, value, atLeast, threshold } = alert;
  const { teams } = alert;
  return {
    id,
    time,
    event: 'level',
    rule,
    key,
    level,
    previousLevel,
    metric,
    ...(value !== undefined && { value }),
    ...(atLeast && { atLeast }),
    ...(threshold !== undefined && { threshold }),
    ...(teams && { teams }),
  };
}

/** Each once, bounded, oldest first; in the order given where they have one time. */
function newest(entries: readonly AlertHistoryEntry[]): readonly AlertHistoryEntry[] {
  const byId = new Map(entries.map((entry) => [entry.id, entry]));
  return [...byId.values()]
    .toSorted((a, b) => Date.parse(a.time) - Date.parse(b.time))
    .slice(-MAX_ENTRIES);
}

/** Undefined for what is no history. */
function parse(text: string): readonly AlertHistoryEntry[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (!Array.isArray(value)) return undefined;
    return (value as AlertHistoryEntry[]).filter(
      ({ id, time, rule }) =>
        typeof id === 'string' && typeof rule === 'string' && !Number.isNaN(Date.parse(time)),
    );
  } catch {
    return undefined;
  }
}
