/**
 * Large buffers that are used again: each new one counts towards the next collection of the whole heap,
 * and a few megabytes make V8 begin one.
 */
export class SpareBuffers {
  readonly #bufferBytes: number;
  readonly #maxSpares: number;
  readonly #spares: Buffer[] = [];

  /** `maxSpares`: how many that nobody uses are kept. */
  constructor(bufferBytes: number, maxSpares: number) {
    this.#bufferBytes = bufferBytes;
    this.#maxSpares = maxSpares;
  }

  /** At least so many bytes, with anything in them. */
  take(bytes: number): Buffer {
    const spare = bytes > this.#bufferBytes ? undefined : this.#spares.pop();
    return spare ?? Buffer.allocUnsafeSlow(Math.max(bytes, this.#bufferBytes));
  }

  /** Nobody looks at it any more. */
  giveBack(buffer: Buffer): void {
    const isUsual = buffer.length === this.#bufferBytes;
    if (isUsual && this.#spares.length < this.#maxSpares) this.#spares.push(buffer);
  }
}
