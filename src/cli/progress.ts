import type { CliIo } from './io.ts';

const WIDTH = 30;
const REDRAW_MS = 100;

/** Progress bar on stderr, only in a terminal. */
export class Progress {
  readonly #stream: CliIo['stderr'];
  readonly #total: number | undefined;
  readonly #now: () => number;
  readonly #start: number;
  #drawn = Number.NEGATIVE_INFINITY;
  #done = 0;

  /** @param total number of bytes, when known */
  constructor(stream: CliIo['stderr'], total: number | undefined, now: () => number = Date.now) {
    this.#stream = stream;
    this.#total = total;
    this.#now = now;
    this.#start = now();
  }

  add(bytes: number): void {
    this.#done += bytes;
    const now = this.#now();
    if (this.#stream.isTTY !== true || now - this.#drawn < REDRAW_MS) return;
    this.#drawn = now;
    const seconds = Math.max((now - this.#start) / 1000, 0.001);
    const speed = `${megabytes(this.#done)} MB, ${megabytes(this.#done / seconds)} MB/s`;
    this.#stream.write(`\r${this.#bar()}${speed}\u001B[K`);
  }

  end(): void {
    if (this.#stream.isTTY === true) this.#stream.write('\r\u001B[K');
  }

  #bar(): string {
    if (this.#total === undefined || this.#total === 0) return '';
    const share = Math.min(this.#done / this.#total, 1);
    const filled = Math.round(share * WIDTH);
    const percent = `${Math.floor(share * 100)}`.padStart(3);
    return `[${'#'.repeat(filled)}${'.'.repeat(WIDTH - filled)}] ${percent} %  `;
  }
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
