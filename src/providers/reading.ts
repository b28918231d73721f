/** Narrowing of wire data: whatever a server or a caller put there, these return a plain value or nothing. */
export type Fields = Readonly<Record<string, unknown>>;

const EMPTY: Fields = {};

export function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : EMPTY;
}

export function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** A number as given; 0 stays 0, null and absence are absence. */
export function count(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

/** Leaves out the keys whose value is undefined. */
export function present<T extends object>(
  values: T,
): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const kept: Record<string, unknown> = {};
  for (const key in values) if (values[key] !== undefined) kept[key] = values[key];
  return kept as { [K in keyof T]?: Exclude<T[K], undefined> };
}
