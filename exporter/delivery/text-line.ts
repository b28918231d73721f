import type { IntakeLine } from './intake.ts';

/** A line of text without line breaks, such as JSON, used again for the next. */
export class TextLine implements IntakeLine {
  readonly isMultiline = false;
  #text = '';
  #length = 0;

  get length(): number {
    return this.#length;
  }

  set(text: string): void {
    this.#text = text;
    this.#length = Buffer.byteLength(text);
  }

  copyTo(target: Buffer, at: number): void {
    target.write(this.#text, at);
  }
}
