const DATA_URL = /^data:[^,]{0,200}?;base64,/i;

/** Bytes of a base64 string or data URL, decoded on demand. */
export class Base64Bytes {
  readonly #text: string;
  readonly #start: number;

  constructor(text: string) {
    this.#text = text;
    this.#start = DATA_URL.exec(text.slice(0, 256))?.[0].length ?? 0;
  }

  /** Number of bytes, not counting padding exactly. */
  get length(): number {
    return Math.floor(((this.#text.length - this.#start) * 3) / 4);
  }

  /** Up to `length` bytes at `offset`; fewer at the end. */
  read(offset: number, length: number): Buffer {
    const from = this.#start + 4 * Math.floor(offset / 3);
    const to = this.#start + 4 * Math.ceil((offset + length) / 3);
    const decoded = Buffer.from(this.#text.slice(from, to), 'base64');
    return decoded.subarray(offset % 3, (offset % 3) + length);
  }
}

export function isDataUrl(text: string): boolean {
  return DATA_URL.test(text.slice(0, 256));
}
