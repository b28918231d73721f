import { isRedisUrl, REDIS_ADDRESS_FORMS } from '../settings/stores/redis-address.ts';

/** How a setting is written and checked. */
export type SettingKind =
  | { readonly type: 'boolean' }
  | { readonly type: 'enum'; readonly values: readonly string[] }
  | { readonly type: 'integer'; readonly min: number; readonly max: number }
  /** A number of seconds in the file and the environment, milliseconds in code. */
  | { readonly type: 'seconds'; readonly min: number; readonly max: number }
  | { readonly type: 'string' }
  | { readonly type: 'url'; readonly protocols: readonly string[] }
  /** An address of Redis, which may name several hosts. */
  | { readonly type: 'redis' }
  /** A sequence in the file, comma separated in the environment. */
  | { readonly type: 'list' }
  /** A mapping in the file, `name=value` pairs separated by commas in the environment. */
  | { readonly type: 'map' };

export type SettingValue =
  | boolean
  | number
  | string
  | readonly string[]
  | Readonly<Record<string, string>>;

/** One setting: what the file, the environment, the code, the table and the JSON Schema say of it. */
export interface Setting {
  /** Path below our blocks of the file: `metrics.influxdb.flush_interval`. */
  readonly key: string;
  /** Path in code: `metrics.influxdb.flushIntervalMs`. */
  readonly path: string;
  readonly block: 'instrumentation' | 'distribution';
  readonly kind: SettingKind;
  /** Environment variables, the first one set wins. */
  readonly env: readonly string[];
  /** As in code, so in milliseconds for seconds; absent means unset. */
  readonly default?: SettingValue;
  /** Never printed. */
  readonly secret?: true;
  /** One sentence for the table and the JSON Schema. */
  readonly description: string;
}

/** A value as accepted, or why it is not. */
export type Parsed =
  | { readonly ok: true; readonly value: SettingValue }
  | { readonly ok: false; readonly allowed: string };

const accept = (value: SettingValue): Parsed => ({ ok: true, value });

/** What the kind accepts, in words. */
function allowedValues(kind: SettingKind): string {
  switch (kind.type) {
    case 'boolean':
      return 'true or false';
    case 'enum':
      return kind.values.join(', ');
    case 'integer':
      return `a whole number from ${kind.min} to ${kind.max}`;
    case 'seconds':
      return `a number of seconds from ${kind.min} to ${kind.max}`;
    case 'string':
      return 'a text';
    case 'url':
      return `an address that starts with ${kind.protocols.map((p) => `${p}//`).join(' or ')}`;
    case 'redis':
      return REDIS_ADDRESS_FORMS;
    case 'list':
      return 'a list of texts';
    case 'map':
      return 'a mapping of names to texts';
  }
}

/** Reads a value of the YAML file. */
export function parseFileValue(kind: SettingKind, value: unknown): Parsed {
  switch (kind.type) {
    case 'list':
      if (Array.isArray(value) && value.every((item) => typeof item === 'string')) {
        return accept(value);
      }
      break;
    case 'map':
      if (isMapping(value) && Object.values(value).every(isScalar)) {
        return accept(
          Object.fromEntries(Object.entries(value).map(([name, item]) => [name, String(item)])),
        );
      }
      break;
    case 'boolean':
      if (typeof value === 'boolean') return accept(value);
      // A quoted `"${VAR}"` is a text by the rules of the file format.
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

/** Reads a value of an environment variable. */
export function parseEnvValue(kind: SettingKind, text: string): Parsed {
  switch (kind.type) {
    case 'boolean':
      return parseBoolean(text);
    case 'integer':
    case 'seconds':
      return checkNumber(kind, text.trim() === '' ? Number.NaN : Number(text));
    case 'list':
      return accept(
        text
          .split(',')
          .map((item) => item.trim())
          .filter((item) => item !== ''),
      );
    case 'map': {
      const pairs = text.split(',').map((pair) => pair.split('=').map((part) => part.trim()));
      if (pairs.some((pair) => pair.length !== 2 || pair[0] === '')) {
        return { ok: false, allowed: 'name=value pairs separated by commas' };
      }
      return accept(Object.fromEntries(pairs) as Record<string, string>);
    }
    default:
      return checkText(kind, text);
  }
}

/** Checks a value given in code: numbers of seconds are milliseconds there. */
export function parseCodeValue(kind: SettingKind, value: unknown): Parsed {
  if (kind.type === 'seconds' && typeof value === 'number') {
    return checkNumber(kind, value / 1000);
  }
  return parseFileValue(kind, value);
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

/** OpenTelemetry's environment rule knows `true` and `false` in any case; `1` and `0` are a kindness. */
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
