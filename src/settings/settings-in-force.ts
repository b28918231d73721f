import { endedBy, patched } from './passing-changes.ts';
import type { SettingValue, SettingsRules } from './settings-schema.ts';
import { NOTHING_STORED, type StoredSettings } from './stored-settings.ts';

/** What applies: the known state over the defaults, as a frozen document. */
export class SettingsInForce<T> {
  readonly #rules: SettingsRules;
  readonly #defaults: Readonly<Record<string, SettingValue>>;
  #state: StoredSettings = NOTHING_STORED;
  #settings: T;
  #problem: string | undefined;
  #isKnown = false;

  constructor(rules: SettingsRules, defaults: Readonly<Record<string, SettingValue>>) {
    this.#rules = rules;
    this.#defaults = defaults;
    this.#settings = this.defaults;
  }

  get state(): StoredSettings {
    return this.#state;
  }

  get settings(): T {
    return this.#settings;
  }

  get defaults(): T {
    return Object.freeze(this.#rules.document(this.#defaults)) as T;
  }

  /** False until a store, or the last known good copy of one, has named valid settings. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  /** What is wrong with the stored values; the names concerned keep the value they had. */
  get problem(): string | undefined {
    return this.#problem;
  }

  documentOf(values: StoredSettings['values']): T {
    return Object.freeze(this.#rules.document(this.#defaults, values)) as T;
  }

  /**
   * Applies a state. A stored value that is not valid shows that a decision was made, but not which: the
   * previous valid value stays in force, and without one the settings are unknown. Changes whose time is over
   * have ended, also where no instance could write that yet.
   */
  adopt(state: StoredSettings, now: number): void {
    const values = patched(state.values, endedBy(state, now));
    const problems = new Map<string, string>();
    for (const [key, value] of Object.entries(values)) {
      const problem = this.#rules.has(key) ? this.#rules.problemOf(key, value) : undefined;
      if (problem) problems.set(key, problem.detail);
    }
    const kept = Object.entries(this.#settings as Record<string, unknown>).filter(([key]) =>
      problems.has(key),
    );
    const document = { ...this.#rules.document(this.#defaults, values) };
    if (this.#isKnown) Object.assign(document, Object.fromEntries(kept));
    this.#state = state;
    this.#settings = Object.freeze(document) as T;
    this.#problem = problems.size === 0 ? undefined : [...problems.values()].join('; ');
    this.#isKnown ||= problems.size === 0;
  }

  /**
   * Takes fields that stand beside the values but have the name of a setting as values: what a person
   * writes by hand, `HSET … enabled false` or `{"enabled": false}`.
   */
  withHandEdits(state: StoredSettings): StoredSettings {
    if (state.extra === undefined) return state;
    const fields = Object.entries(state.extra);
    const edits = fields.filter(([key]) => this.#rules.keys.includes(key));
    if (edits.length === 0) return state;
    const { extra: _extra, ...rest } = state;
    const others = fields.filter(([key]) => !this.#rules.keys.includes(key));
    return {
      ...rest,
      values: { ...state.values, ...Object.fromEntries(edits) },
      ...(others.length > 0 && { extra: Object.fromEntries(others) }),
    };
  }
}
