import { quoteString } from './escaping.ts';

/** Writes single fields as `,key=value`; '' for what has no representation, which `onCleaned` is told of. */
export class FieldText {
  readonly #onCleaned: (reason: string) => void;

  constructor(onCleaned: (reason: string) => void) {
    this.#onCleaned = onCleaned;
  }

  /** Whole numbers that a double holds exactly; anything else would be another number in the store. */
  integer(key: string, value: number | undefined): string {
    if (value === undefined) return '';
    if (Number.isSafeInteger(value)) return `,${key}=${value}i`;
    this.#onCleaned('value_not_an_integer');
    return '';
  }

  float(key: string, value: number | undefined): string {
    if (value === undefined) return '';
    if (Number.isFinite(value)) return `,${key}=${value}`;
    this.#onCleaned('value_not_finite');
    return '';
  }

  string(key: string, value: string | undefined): string {
    if (value === undefined) return '';
    const quoted = quoteString(value);
    if (quoted !== undefined) return `,${key}=${quoted}`;
    this.#onCleaned('value_too_long');
    return '';
  }
}
