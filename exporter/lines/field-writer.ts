import type { LineBuffer } from './line-buffer.ts';

const INTEGER_MARK = 'i';

/**
 * Writes single fields as `,key=value`, and nothing for what has no representation, which `onCleaned`
 * is told of. `lead` is the `,key=` of a field, escaped.
 */
export class FieldWriter {
  readonly #line: LineBuffer;
  readonly #onCleaned: (reason: string) => void;

  constructor(line: LineBuffer, onCleaned: (reason: string) => void) {
    this.#line = line;
    this.#onCleaned = onCleaned;
  }

  /** Whole numbers that a double holds exactly; anything else would be another number in the store. */
  integer(lead: string, value: number | undefined): void {
    if (value === undefined) return;
    if (!Number.isSafeInteger(value)) return this.#onCleaned('value_not_an_integer');
    this.#line.text(lead);
    this.#line.integer(value);
    this.#line.text(INTEGER_MARK);
  }

  float(lead: string, value: number | undefined): void {
    if (value === undefined) return;
    if (!Number.isFinite(value)) return this.#onCleaned('value_not_finite');
    this.#line.text(lead);
    this.#line.float(value);
  }

  string(lead: string, value: string | undefined): void {
    if (value === undefined) return;
    const { length } = this.#line;
    this.#line.text(lead);
    if (this.#line.quoted(value)) return;
    this.#line.cutTo(length);
    this.#onCleaned('value_too_long');
  }

  boolean(lead: string, value: boolean): void {
    this.#line.text(lead);
    this.#line.text(String(value));
  }
}
