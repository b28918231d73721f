import type { LineChunk } from './spool/line-queue.ts';

/** Appending costs the same for one line as for many: wait this long for company. */
const GATHER_MS = 20;
/** Whole chunks are sent, so one chunk is at most a fifth of a send. */
const MAX_CHUNK_LINES = 1000;
const MAX_CHUNK_CHARACTERS = 256 * 1024;

/** Gathers single lines into chunks. Costs the caller no more than a concatenation. */
export class Intake {
  readonly #onChunk: (chunk: LineChunk) => void;
  /** Grows by concatenation, which copies nothing until the bytes are needed. */
  #text = '';
  #lines = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(onChunk: (chunk: LineChunk) => void) {
    this.#onChunk = onChunk;
  }

  /** `line` without its line break at the end. */
  add(line: string): void {
    this.#text += `${line}\n`;
    this.#lines++;
    if (this.#lines >= MAX_CHUNK_LINES || this.#text.length >= MAX_CHUNK_CHARACTERS) {
      this.cut();
    } else {
      this.#timer ??= setTimeout(() => this.cut(), GATHER_MS).unref();
    }
  }

  /** Passes on what has been gathered. */
  cut(): void {
    const chunk = this.takeAll();
    if (chunk !== undefined) this.#onChunk(chunk);
  }

  takeAll(): LineChunk | undefined {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const lines = this.#lines;
    if (lines === 0) return undefined;
    const body = Buffer.from(this.#text);
    this.#text = '';
    this.#lines = 0;
    return { body, lines, multiline: countBreaks(body) > lines };
  }
}

function countBreaks(body: Buffer): number {
  let breaks = 0;
  for (let at = body.indexOf(10); at !== -1; at = body.indexOf(10, at + 1)) breaks++;
  return breaks;
}
