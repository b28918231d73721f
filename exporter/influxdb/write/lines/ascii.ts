/** Text that is written often, four characters at a time. */
export class Ascii {
  readonly length: number;
  readonly words: Int32Array;

  constructor(text: string) {
    this.length = text.length;
    const bytes = Buffer.alloc(Math.ceil(text.length / 4) * 4);
    bytes.write(text, 'latin1');
    this.words = Int32Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readInt32LE(i * 4));
  }
}
