/**
 * Narrowing of unknown JSON: requests and replies of any shape. Every function returns a plain
 * value or `undefined`; none throws. It lives in this room because `tokens` may import no other.
 */
export type JsonObject = Readonly<Record<string, unknown>>;

const EMPTY: JsonObject = {};

/** An object that is not an array. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The object itself, or an empty one, so that fields can be read without a check. */
export function fields(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null ? (value as JsonObject) : EMPTY;
}

export function objectAt(value: unknown, key: string): JsonObject | undefined {
  const inner = isObject(value) ? value[key] : undefined;
  return isObject(inner) ? inner : undefined;
}

export function stringAt(value: unknown, key: string): string | undefined {
  const inner = isObject(value) ? value[key] : undefined;
  return typeof inner === 'string' ? inner : undefined;
}

/** A non-empty string. */
export function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** JSON of `value`, or '' where there is none: circular, BigInt, undefined, a throwing `toJSON`. */
export function toJson(
  value: unknown,
  replacer?: (this: JsonObject, key: string, value: unknown) => unknown,
): string {
  try {
    return JSON.stringify(value, replacer) ?? '';
  } catch {
    return '';
  }
}

/** Removes keys whose value is undefined. */
export function present<T extends object>(
  values: T,
): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const kept: Record<string, unknown> = {};
  for (const key in values) if (values[key] !== undefined) kept[key] = values[key];
  return kept as { [K in keyof T]?: Exclude<T[K], undefined> };
}
