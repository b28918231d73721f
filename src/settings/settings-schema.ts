import { TokenMeterError } from '../errors.ts';

/** Settings are flat: a merge patch of scalars cannot surprise, and needs no deep merge. */
export type SettingValue = boolean | number | string;

/** One setting: its type, the default of the code, and what else is asked of a value. */
export type SettingDefinition<V extends SettingValue> = {
  readonly default: V;
  readonly description: string;
} & (V extends boolean
  ? { readonly type: 'boolean' }
  : V extends number
    ? { readonly type: 'number'; readonly minimum?: number; readonly maximum?: number }
    : { readonly type: 'string'; readonly maxLength?: number });

/** Names (`[a-z][a-z0-9_]*`) to definitions. */
export type SettingsSchema<T> = {
  readonly [K in keyof T]: T[K] extends SettingValue ? SettingDefinition<Widened<T[K]>> : never;
};

type Widened<V extends SettingValue> = V extends boolean
  ? boolean
  : V extends number
    ? number
    : string;

/** RFC 7396 for a flat document: a value sets, null goes back to the configured default. */
export type SettingsPatch<T> = { readonly [K in keyof T]?: T[K] | null };

/** One reason why a patch was refused, in the words of RFC 9457's `errors` extension. */
export interface SettingsProblem {
  /** JSON pointer into the patch; empty for the patch itself. */
  readonly pointer: string;
  readonly code: 'not_an_object' | 'unknown_key' | 'wrong_type' | 'out_of_range';
  readonly detail: string;
}

type AnyDefinition =
  | SettingDefinition<boolean>
  | SettingDefinition<number>
  | SettingDefinition<string>;

/** The rules of a schema over untrusted values. */
export class SettingsRules {
  readonly keys: readonly string[];
  readonly #definitions: ReadonlyMap<string, AnyDefinition>;

  /** Throws `INVALID_OPTION` for a key or a default the schema itself should not have. */
  constructor(schema: Readonly<Record<string, unknown>>) {
    this.#definitions = new Map(Object.entries(schema) as [string, AnyDefinition][]);
    this.keys = [...this.#definitions.keys()];
    for (const [key, definition] of this.#definitions) {
      // Keys are sorted by JavaScript here and by Lua in Redis; both agree on plain ASCII only.
      if (!/^[a-z][a-z0-9_]*$/.test(key) || key in Object.prototype) {
        throw new TokenMeterError('INVALID_OPTION', `setting name ${key} is not usable`, {
          value: key,
          allowed: 'lower-case letters, digits and _, beginning with a letter',
        });
      }
      const problem = this.problemOf(key, definition.default);
      if (problem) {
        throw new TokenMeterError('INVALID_OPTION', `default of setting ${problem.detail}`, {
          value: definition.default,
        });
      }
    }
  }

  /** What is wrong with this value for this key; undefined when nothing is. */
  problemOf(key: string, value: unknown): SettingsProblem | undefined {
    const pointer = `/${key.slice(0, 64).replaceAll('~', '~0').replaceAll('/', '~1')}`;
    const definition = this.#definitions.get(key);
    if (!definition) {
      const detail = `${pointer} is not a setting; allowed: ${this.keys.join(', ')}`;
      return { pointer, code: 'unknown_key', detail };
    }
    if (typeof value !== definition.type || Number.isNaN(value)) {
      const got = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
      const detail = `${key} must be a ${definition.type}, got ${got}`;
      return { pointer, code: 'wrong_type', detail };
    }
    const limits = limitsOf(definition, value as SettingValue);
    if (limits === undefined) return undefined;
    return { pointer, code: 'out_of_range', detail: `${key} must be ${limits}` };
  }

  /** Everything wrong with a merge patch; an empty list means it can be applied. */
  problemsOf(patch: unknown): SettingsProblem[] {
    if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) {
      return [{ pointer: '', code: 'not_an_object', detail: 'the patch must be a JSON object' }];
    }
    const problems: SettingsProblem[] = [];
    for (const [key, value] of Object.entries(patch)) {
      if (value === null && this.#definitions.has(key)) continue;
      const problem = this.problemOf(key, value);
      if (problem) problems.push(problem);
    }
    return problems;
  }

  /** The full document: code defaults, over them `defaults`, over them `values` that are valid. */
  document(...layers: readonly Readonly<Record<string, unknown>>[]): Record<string, SettingValue> {
    const document: Record<string, SettingValue> = {};
    for (const [key, definition] of this.#definitions) {
      document[key] = definition.default;
      for (const layer of layers) {
        if (!Object.hasOwn(layer, key) || layer[key] === undefined) continue;
        if (!this.problemOf(key, layer[key])) document[key] = layer[key] as SettingValue;
      }
    }
    return document;
  }
}

function limitsOf(definition: AnyDefinition, value: SettingValue): string | undefined {
  if (definition.type === 'number') {
    const { minimum = -Infinity, maximum = Infinity } = definition;
    const number = value as number;
    return number < minimum || number > maximum || !Number.isFinite(number)
      ? `between ${minimum} and ${maximum}`
      : undefined;
  }
  if (definition.type === 'string') {
    const { maxLength = 1024 } = definition;
    return (value as string).length > maxLength ? `at most ${maxLength} characters` : undefined;
  }
  return undefined;
}
