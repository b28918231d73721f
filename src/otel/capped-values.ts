/** Different values of one attribute on metrics. */
const VALUES_MAX = 200;
const OTHER = '(other)';

/** Bounds the values of attributes on metrics: those beyond the first 200 of a name become `(other)`. */
export class CappedValues {
  readonly #seen = new Map<string, Set<string>>();

  of(name: string, value: string): string {
    let seen = this.#seen.get(name);
    if (seen === undefined) this.#seen.set(name, (seen = new Set()));
    if (seen.has(value)) return value;
    if (seen.size >= VALUES_MAX) return OTHER;
    seen.add(value);
    return value;
  }
}
