const snake = (name: string): string =>
  name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Converts member names to snake_case at every depth, except in custom attributes. */
export function usageJson(answer: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(answer).map(([key, value]) => [
      snake(key),
      key === 'attributes' ? value : inner(value),
    ]),
  );
}

function inner(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inner);
  return typeof value === 'object' && value !== null ? usageJson(value) : value;
}
