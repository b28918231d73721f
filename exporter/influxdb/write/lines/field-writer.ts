import { Ascii } from './ascii.ts';
import type { LineBuffer } from './line-buffer.ts';

const INTEGER_MARK = new Ascii('i');

/** The `,key=` of a field, escaped; as bytes where it is known beforehand. */
type Lead = string | Ascii;

/**
 * Writes single fields as `,key=value`, and nothing for what has no representation, which `onCleaned`
 * is told of.
 */
export class FieldWriter {
  readonly #line: LineBuffer;
  readonly #onCleaned: (reason: string) => void;

  constructor(line: LineBuffer, onCleaned: (reason: string) => void) {
    this.#line = line;
    this.#onCleaned = onCleaned;
  }

  /** Whole numbers that a double holds exactly; anything else would be another number in the store. */
  integer(lead: Lead, value: number | undefined): void {
    if (value === undefined) return;
    if (!Number.isSafeInteger(value)) return this.#onCleaned('value_not_an_integer');
    this.#writeLead(lead);
    this.#line.integer(value);
    this.#line.ascii(INTEGER_MARK);
  }

  float(lead: Lead, value: number | undefined): void {
    if (value === undefined) return;
    if (!Number.isFinite(value)) return this.#onCleaned('value_not_finite');
    this.#writeLead(lead);
    this.#line.float(value);
  }

  string(lead: Lead, value: string | undefined): void {
    if (value === undefined) return;
    const { length } = this.#line;
    this.#writeLead(lead);
    if (this.#line.quoted(value)) return;
    this.#line.cutTo(length);
    this.#onCleaned('value_too_long');
  }

  boolean(lead: Lead, value: boolean): void {
    this.#writeLead(lead);
    this.#line.text(String(value));
  }

  #writeLead(lead: Lead): void {
    if (typeof lead === 'string') this.#line.text(lead);
    else this.#line.ascii(lead);
  }
}
