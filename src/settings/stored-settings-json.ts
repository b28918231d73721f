import type { SettingValue } from './settings-schema.ts';
import type { StoredSettings } from './stored-settings.ts';

/**
 * Reads a stored state that came from outside: a file, a Redis message. Undefined when it is not
 * one. Values are only taken by type; whether they fit the schema is the service's to judge.
 */
export function parseStoredSettings(text: string): StoredSettings | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  return toStoredSettings(json);
}

export function toStoredSettings(json: unknown): StoredSettings | undefined {
  if (!isObject(json)) return undefined;
  const { version = 0, values, updatedAt, updatedBy } = json;
  if (!isVersion(version) || !isObject(values)) return undefined;
  return {
    version,
    values: scalarsOf(values),
    ...(typeof updatedAt === 'string' ? { updatedAt } : {}),
    ...(typeof updatedBy === 'string' ? { updatedBy } : {}),
  };
}

export function isVersion(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function scalarsOf(values: Record<string, unknown>): Record<string, SettingValue> {
  const entries = Object.entries(values).filter(
    ([key, value]) =>
      /^[a-z][a-z0-9_]*$/.test(key) && ['boolean', 'number', 'string'].includes(typeof value),
  );
  return Object.fromEntries(entries) as Record<string, SettingValue>;
}
