import { TokenMeterError } from '../errors.ts';
import { parseScopedName } from './scoped-name.ts';

/**
 * A document of settings is flat: a merge patch replaces each value as a whole, so that its result
 * is predictable. A value may be an object where its definition checks it.
 */
export type SettingValue = boolean | number | string | Readonly<Record<string, unknown>>;

/** One setting: its type, the default of the code, and what else is asked of a value. */
export type SettingDefinition<V extends SettingValue> = {
  readonly default: V;
  readonly description: string;
  /**
   * Whether a document may also have values for one team or service, as `name@team:search` or `name@service:chat`. They
   * have no default. @default false
   */
  readonly hasScopes?: boolean;
} & SettingKind<V>;

type SettingKind<V extends SettingValue> = V extends boolean
  ? { readonly type: 'boolean' }
  : V extends number
    ? { readonly type: 'number'; readonly minimum?: number; readonly maximum?: number }
    : V extends string
      ? { readonly type: 'string'; readonly maxLength?: number }
      : {
          readonly type: 'object';
          /** What is wrong with it, such as `limit must be above 0`; undefined when nothing is. */
          readonly check: (value: Readonly<Record<string, unknown>>) => string | undefined;
        };

/** Names (`[a-z][a-z0-9_]*`) to definitions. Names with a scope have those of their setting. */
export type SettingsSchema<T> = {
  readonly [K in keyof T as K extends `${string}@${string}` ? never : K]: SettingDefinition<
    Widened<T[K]>
  >;
};

const OTHERS = '*';

/** What is asked of each value of an open schema. */
export interface OpenDefinition {
  readonly type: 'object';
  readonly description: string;
  /** What is wrong with it, such as `limit must be above 0`; undefined when nothing is. */
  readonly check: (value: Readonly<Record<string, unknown>>) => string | undefined;
  /** A patch that would make more of them is refused. @default no limit */
  readonly most?: number;
}

/**
 * A schema of any names, each of one kind and none with a default: the document holds what was set, a
 * list of budgets by id for one.
 */
export function openSchema<V extends object>(
  definition: OpenDefinition,
): SettingsSchema<Readonly<Record<string, V>>> {
  return { [OTHERS]: definition } as unknown as SettingsSchema<Readonly<Record<string, V>>>;
}

type Widened<V> = V extends boolean
  ? boolean
  : V extends number
    ? number
    : V extends string
      ? string
      : Readonly<Record<string, unknown>>;

/** RFC 7396 for a flat document: a value sets, null goes back to the configured default. */
export type SettingsPatch<T> = { readonly [K in keyof T]?: T[K] | null };

/** One reason why a patch was refused, in the words of RFC 9457's `errors` extension. */
export interface SettingsProblem {
  /** JSON pointer into the patch; empty for the patch itself. */
  readonly pointer: string;
  readonly code: 'not_an_object' | 'unknown_key' | 'wrong_type' | 'out_of_range';
  readonly detail: string;
}

type AnyDefinition = (
  | SettingKind<boolean>
  | SettingKind<number>
  | SettingKind<string>
  | SettingKind<Readonly<Record<string, unknown>>>
) & { readonly default?: SettingValue; readonly hasScopes?: boolean };

/** Of defined names: they must not look like a field of a store. */
const NAME = /^[a-z][a-z0-9_]*$/;
/**
 * Names that a schema with `*` takes, such as ids of budgets. The excluded ones have a meaning beside ids, such as
 * `/api/settings/budgets/audit`.
 */
export const OPEN_NAME: RegExp =
  /^(?!(?:audit|events|instances|passing)$)[A-Za-z0-9][\w.-]{0,127}$/;
/** For people. */
export const OPEN_NAME_TEXT =
  'letters, digits, _, . and -, and none of audit, events, instances, passing';

/** Values for teams and services: each is compared with each call of theirs, and shown to people. */
const MOST_SCOPED = 500;

/** The rules of a schema over untrusted values. */
export class SettingsRules {
  /** The defined names, without `*`. */
  readonly keys: readonly string[];
  readonly #definitions: ReadonlyMap<string, AnyDefinition>;
  readonly #others: OpenDefinition | undefined;

  /** Throws `INVALID_OPTION` for a key or a default the schema itself should not have. */
  constructor(schema: Readonly<Record<string, unknown>>) {
    const { [OTHERS]: others, ...named } = schema;
    this.#others = others as OpenDefinition | undefined;
    this.#definitions = new Map(Object.entries(named) as [string, AnyDefinition][]);
    this.keys = [...this.#definitions.keys()];
    for (const [key, definition] of this.#definitions) {
      if (!NAME.test(key) || key in Object.prototype) {
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

  has(key: string): boolean {
    return this.#definitionOf(key) !== undefined;
  }

  /** What is wrong with this value for this key; undefined when nothing is. */
  problemOf(key: string, value: unknown): SettingsProblem | undefined {
    const pointer = `/${key.slice(0, 64).replaceAll('~', '~0').replaceAll('/', '~1')}`;
    const definition = this.#definitionOf(key);
    if (!definition) {
      const allowed = this.#others ? OPEN_NAME_TEXT : this.#allowedNames();
      const detail = `${pointer} is not a setting; allowed: ${allowed}`;
      return { pointer, code: 'unknown_key', detail };
    }
    const got = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
    if (got !== definition.type || Number.isNaN(value)) {
      const detail = `${key} must be ${definition.type === 'object' ? 'an' : 'a'} ${definition.type}, got ${got}`;
      return { pointer, code: 'wrong_type', detail };
    }
    const problem = problemWithin(key, definition, value as SettingValue);
    return problem === undefined ? undefined : { pointer, code: 'out_of_range', detail: problem };
  }

  /** Everything wrong with a merge patch; an empty list means it can be applied. */
  problemsOf(patch: unknown): SettingsProblem[] {
    if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) {
      return [{ pointer: '', code: 'not_an_object', detail: 'the patch must be a JSON object' }];
    }
    const problems: SettingsProblem[] = [];
    for (const [key, value] of Object.entries(patch)) {
      if (value === null && this.has(key)) continue;
      const problem = this.problemOf(key, value);
      if (problem) problems.push(problem);
    }
    return problems;
  }

  /** Why there would be too many values after a change; undefined when there would not. By the names that have one. */
  tooMany(before: ReadonlySet<string>, after: ReadonlySet<string>): string | undefined {
    const most = this.#others === undefined ? MOST_SCOPED : this.#others.most;
    if (most === undefined) return undefined;
    const count = (names: ReadonlySet<string>): number =>
      [...names].filter((name) => this.has(name) && !this.#definitions.has(name)).length;
    if (count(after) <= Math.max(most, count(before))) return undefined;
    const what = this.#others === undefined ? ' values for teams and services' : '';
    return `there may be at most ${most}${what}`;
  }

  /** The full document: of the layers that hold a valid value, the last one counts. */
  document(...layers: readonly Readonly<Record<string, unknown>>[]): Record<string, SettingValue> {
    const document: Record<string, SettingValue> = {};
    for (const [key, definition] of this.#definitions) {
      if (definition.default !== undefined) document[key] = definition.default;
    }
    for (const layer of layers) {
      for (const [key, value] of Object.entries(layer)) {
        if (value !== undefined && !this.problemOf(key, value))
          document[key] = value as SettingValue;
      }
    }
    return document;
  }

  #allowedNames(): string {
    const scoped = this.keys.find((key) => this.#definitions.get(key)?.hasScopes === true);
    const names = this.keys.join(', ');
    return scoped === undefined
      ? names
      : `${names}, also as ${scoped}@team:NAME or ${scoped}@service:NAME`;
  }

  #definitionOf(key: string): AnyDefinition | undefined {
    const named = this.#definitions.get(key);
    if (named !== undefined) return named;
    if (this.#others === undefined) {
      const scoped = parseScopedName(key);
      const definition = scoped && this.#definitions.get(scoped.key);
      return definition?.hasScopes === true ? definition : undefined;
    }
    return OPEN_NAME.test(key) && !(key in Object.prototype) ? this.#others : undefined;
  }
}

function problemWithin(
  key: string,
  definition: AnyDefinition,
  value: SettingValue,
): string | undefined {
  if (definition.type === 'number') {
    const { minimum = -Infinity, maximum = Infinity } = definition;
    const number = value as number;
    return number < minimum || number > maximum || !Number.isFinite(number)
      ? `${key} must be between ${minimum} and ${maximum}`
      : undefined;
  }
  if (definition.type === 'string') {
    const { maxLength = 1024 } = definition;
    return (value as string).length > maxLength
      ? `${key} must be at most ${maxLength} characters`
      : undefined;
  }
  if (definition.type === 'object') {
    const problem = definition.check(value as Readonly<Record<string, unknown>>);
    return problem === undefined ? undefined : `${key}: ${problem}`;
  }
  return undefined;
}
