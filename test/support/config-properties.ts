type Mapping = Readonly<Record<string, unknown>>;

const TYPES: Readonly<Record<string, (value: unknown) => boolean>> = {
  getBoolean: (value) => typeof value === 'boolean',
  getNumber: (value) => typeof value === 'number',
  getString: (value) => typeof value === 'string',
  getStringArray: (value) =>
    Array.isArray(value) && value.every((item) => typeof item === 'string'),
};

/**
 * The accessor of a mapping in a declarative configuration, as OpenTelemetry JS #6868 has it. A getter
 * of the wrong type returns undefined, and reports the key.
 */
export function properties(
  mapping: Mapping | undefined,
  onWrongType: (key: string) => void = () => undefined,
): object {
  const values = mapping ?? {};
  const get = (key: string, fits: (value: unknown) => boolean): unknown => {
    if (values[key] === undefined || values[key] === null) return undefined;
    if (fits(values[key])) return values[key];
    onWrongType(key);
    return undefined;
  };
  return {
    getPropertyKeys: () => Object.keys(values),
    getStructured(key: string) {
      const inside = get(key, (value) => typeof value === 'object' && !Array.isArray(value));
      return inside === undefined ? undefined : properties(inside as Mapping, onWrongType);
    },
    ...Object.fromEntries(
      Object.entries(TYPES).map(([name, fits]) => [name, (key: string) => get(key, fits)]),
    ),
  };
}
