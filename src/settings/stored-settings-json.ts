import { toPassingChanges } from './passing-changes.ts';
import type { StoredSettings } from './stored-settings.ts';

/**
 * Reads a stored state that came from outside. Undefined when it is not one. Whether values fit the
 * schema is the service's to judge.
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
  const { store, epoch, version = 0, values, passing, updatedAt, updatedBy, ...extra } = json;
  const changes = toPassingChanges(passing);
  // Written by hand, settings may stand beside where `values` would be.
  const holdsSettings = isObject(values) || (values === undefined && Object.keys(extra).length > 0);
  if (!isVersion(version) || !holdsSettings) return undefined;
  const hasIdentity = typeof store === 'string' && store !== '';
  return {
    ...(hasIdentity && { store, epoch: isVersion(epoch) && epoch > 0 ? epoch : 1 }),
    version,
    values: withoutProto(values as Record<string, unknown> | undefined),
    ...(changes && { passing: changes }),
    ...(typeof updatedAt === 'string' && { updatedAt }),
    ...(typeof updatedBy === 'string' && { updatedBy }),
    ...(Object.keys(extra).length > 0 && { extra: withoutProto(extra) }),
  };
}

/** The counterpart: unknown fields stand where they stood. */
export function toJson({ extra, ...state }: StoredSettings): Record<string, unknown> {
  return { ...state, ...extra };
}

function isVersion(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** The one name that must never be assigned, regardless of the source. */
function withoutProto(fields: Record<string, unknown> = {}): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([key]) => key !== '__proto__'));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
