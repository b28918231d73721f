import { quoteString } from './escaping.ts';

/**
 * Writes single fields as `,key=value`; '' for what has no representation, which `onCleaned` is told of.
 * `lead` is the `,key=` of a field, escaped.
 */
export class FieldText {
  readonly #onCleaned: (reason: string) => void;

  constructor(onCleaned: (reason: string) => void) {
    this.#onCleaned = onCleaned;
  }

  /** Whole numbers that a double holds exactly; anything else would be another number in the store. */
  integer(lead: string, value: number | undefined): string {
    if (value === undefined) return '';
    if (Number.isSafeInteger(value)) return `${lead}${value}i`;
    this.#onCleaned('value_not_an_integer');
    return '';
  }

  float(lead: string, value: number | undefined): string {
    if (value === undefined) return '';
    if (Number.isFinite(value)) return lead + value;
    this.#onCleaned('value_not_finite');
    return '';
  }

  string(lead: string, value: string | undefined): string {
    if (value === undefined) return '';
    const quoted = quoteString(value);
    if (quoted !== undefined) return lead + quoted;
    this.#onCleaned('value_too_long');
    return '';
  }
}
