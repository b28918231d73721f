import type { Budget } from '../budgets/budget.ts';
import { DIMENSIONS_MAX, dimensionNames, isDimensionName } from '../domain/dimensions.ts';
import { checkBudgets } from '../budgets/check-budget.ts';
import { parseBudgetList, type Rejected } from './budget-list.ts';
import { isRedisUrl, REDIS_ADDRESS_FORMS } from '../settings/stores/redis-address.ts';

/** Syntax and validation of a setting. */
export type SettingKind =
  | { readonly type: 'boolean' }
  | { readonly type: 'enum'; readonly values: readonly string[] }
  | { readonly type: 'integer'; readonly min: number; readonly max: number }
  /** A number of seconds in the file and the environment, milliseconds in code. */
  | { readonly type: 'seconds'; readonly min: number; readonly max: number }
  | { readonly type: 'string' }
  | { readonly type: 'url'; readonly protocols: readonly string[] }
  /** A Redis URL, which may list several hosts. */
  | { readonly type: 'redis' }
  /** A sequence in the file, comma-separated in the environment. */
  | { readonly type: 'list' }
  /** A list of names of dimensions. */
  | { readonly type: 'dimensions' }
  /** A list of budgets: mappings in the file, JSON in the environment. */
  | { readonly type: 'budgets' }
  /** A mapping in the file, comma-separated `name=value` pairs in the environment. */
  | { readonly type: 'map' };

export type SettingValue =
  | boolean
  | number
  | string
  | readonly string[]
  | readonly Budget[]
  | Readonly<Record<string, string>>;

/** One setting. File, environment, code, documentation and JSON Schema are derived from it. */
export interface Setting {
  /** Path in our blocks of the file: `metrics.influxdb.flush_interval`. */
  readonly key: string;
  /** Path in code: `metrics.influxdb.flushIntervalMs`. */
  readonly path: string;
  readonly block: 'instrumentation' | 'distribution';
  readonly kind: SettingKind;
  /** Environment variables. The first one that is set wins. */
  readonly env: readonly string[];
  /** Default as in code, so durations are in milliseconds. Absent means unset. */
  readonly default?: SettingValue;
  /** The value is never printed. */
  readonly secret?: true;
  /** One sentence for the documentation and the JSON Schema. */
  readonly description: string;
}

/** The accepted value, or a description of the allowed values. */
export type Parsed =
  | {
      readonly ok: true;
      readonly value: SettingValue;
      /** Entries of a list that were left out. */
      readonly rejected?: readonly Rejected[];
    }
  | { readonly ok: false; readonly allowed: string };

const accept = (value: SettingValue): Parsed => ({ ok: true, value });

/** Description of the values that a kind accepts. */
function allowedValues(kind: SettingKind): string {
  switch (kind.type) {
    case 'boolean':
      return 'true or false';
    case 'enum':
      return kind.values.join(', ');
    case 'integer':
      return `a whole number from ${kind.min} to ${kind.max}`;
    case 'seconds':
      return `seconds from ${kind.min} to ${kind.max}`;
    case 'string':
      return 'a text';
    case 'url':
      return `a URL that starts with ${kind.protocols.map((p) => `${p}//`).join(' or ')}`;
    case 'redis':
      return REDIS_ADDRESS_FORMS;
    case 'list':
      return 'a list of strings';
    case 'dimensions':
      return `up to ${DIMENSIONS_MAX - 1} names beside team, each of 1 to 32 lower-case letters, digits and _, beginning with a letter`;
    case 'budgets':
      return 'a list of budgets, each with id, window and limit';
    case 'map':
      return 'a mapping of names to strings';
  }
}

/** Parses a value from the YAML file. */
export function parseFileValue(kind: SettingKind, value: unknown): Parsed {
  switch (kind.type) {
    case 'list':
      if (Array.isArray(value) && value.every((item) => typeof item === 'string')) {
        return accept(value);
      }
      break;
    case 'dimensions':
      if (Array.isArray(value) && value.every((item) => typeof item === 'string')) {
        return checkDimensions(value);
      }
      break;
    case 'budgets':
      return listedBudgets(value);
    case 'map':
      if (isMapping(value) && Object.values(value).every(isScalar)) {
        return accept(
          Object.fromEntries(Object.entries(value).map(([name, item]) => [name, String(item)])),
        );
      }
      break;
    case 'boolean':
      if (typeof value === 'boolean') return accept(value);
      // The file format makes a quoted `"${VAR}"` a string.
      if (typeof value === 'string') return parseBoolean(value);
      break;
    case 'integer':
    case 'seconds':
      if (typeof value === 'number') return checkNumber(kind, value);
      if (typeof value === 'string' && value.trim() !== '') return checkNumber(kind, Number(value));
      break;
    case 'string':
      if (isScalar(value)) return accept(String(value));
      break;
    case 'enum':
    case 'url':
    case 'redis':
      if (typeof value === 'string') return checkText(kind, value);
      break;
  }
  return { ok: false, allowed: allowedValues(kind) };
}

/** Parses an environment variable. */
export function parseEnvValue(kind: SettingKind, text: string): Parsed {
  switch (kind.type) {
    case 'boolean':
      return parseBoolean(text);
    case 'integer':
    case 'seconds':
      return checkNumber(kind, text.trim() === '' ? Number.NaN : Number(text));
    case 'list':
      return accept(itemsOf(text));
    case 'dimensions':
      return checkDimensions(itemsOf(text));
    case 'budgets':
      return listedBudgets(jsonOf(text));
    case 'map': {
      const pairs = text.split(',').map((pair) => pair.split('=').map((part) => part.trim()));
      if (pairs.some((pair) => pair.length !== 2 || pair[0] === '')) {
        return { ok: false, allowed: 'comma-separated name=value pairs' };
      }
      return accept(Object.fromEntries(pairs) as Record<string, string>);
    }
    default:
      return checkText(kind, text);
  }
}

/** Validates a value given in code, where durations are in milliseconds. */
export function parseCodeValue(kind: SettingKind, value: unknown): Parsed {
  if (kind.type === 'seconds' && typeof value === 'number') {
    return checkNumber(kind, value / 1000);
  }
  if (kind.type === 'budgets') return budgetsInCode(value);
  return parseFileValue(kind, value);
}

function listedBudgets(value: unknown): Parsed {
  const list = parseBudgetList(value);
  if (list === undefined) return { ok: false, allowed: allowedValues({ type: 'budgets' }) };
  return { ok: true, value: list.budgets, rejected: list.rejected };
}

/** Right, or refused altogether. */
function budgetsInCode(value: unknown): Parsed {
  try {
    return accept(checkBudgets(value));
  } catch (error) {
    return { ok: false, allowed: (error as Error).message };
  }
}

/** Undefined for text that is no JSON. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function itemsOf(text: string): readonly string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

function checkDimensions(listed: readonly string[]): Parsed {
  const names = dimensionNames(listed);
  return names.every(isDimensionName) && names.length < DIMENSIONS_MAX
    ? accept(names)
    : { ok: false, allowed: allowedValues({ type: 'dimensions' }) };
}

function checkNumber(kind: Extract<SettingKind, { min: number }>, value: number): Parsed {
  const whole = kind.type === 'seconds' || Number.isInteger(value);
  if (!whole || !(value >= kind.min && value <= kind.max)) {
    return { ok: false, allowed: allowedValues(kind) };
  }
  return accept(kind.type === 'seconds' ? Math.round(value * 1000) : value);
}

function checkText(kind: SettingKind, text: string): Parsed {
  if (kind.type === 'enum' && !kind.values.includes(text)) {
    return { ok: false, allowed: allowedValues(kind) };
  }
  if (kind.type === 'url') {
    const protocol = URL.canParse(text) ? new URL(text).protocol : '';
    if (!kind.protocols.includes(protocol)) return { ok: false, allowed: allowedValues(kind) };
  }
  if (kind.type === 'redis' && !isRedisUrl(text))
    return { ok: false, allowed: allowedValues(kind) };
  return accept(text);
}

/**
 * OpenTelemetry specifies case-insensitive `true` and `false`. `1` and `0` are accepted as well.
 */
function parseBoolean(text: string): Parsed {
  const word = text.trim().toLowerCase();
  if (word === 'true' || word === '1') return accept(true);
  if (word === 'false' || word === '0') return accept(false);
  return { ok: false, allowed: 'true or false' };
}

function isScalar(value: unknown): value is string | number | boolean {
  return ['string', 'number', 'boolean'].includes(typeof value);
}

export function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
