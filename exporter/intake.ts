import type { LineChunk } from './spool/line-queue.ts';

/** Appending costs the same for one line as for many: wait this long for company. */
const GATHER_MS = 20;
/** Whole chunks are sent, so one chunk is at most a fifth of a send. */
const MAX_CHUNK_LINES = 1000;
const MAX_CHUNK_CHARACTERS = 256 * 1024;

/** Gathers single lines into chunks. Costs the caller nothing but the push of a string. */
export class Intake {
  readonly #onChunk: (chunk: LineChunk) => void;
  #lines: string[] = [];
  #characters = 0;
  #multiline = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(onChunk: (chunk: LineChunk) => void) {
    this.#onChunk = onChunk;
  }

  /** `line` without its line break at the end. */
  add(line: string): void {
    this.#lines.push(line);
    this.#characters += line.length;
    this.#multiline ||= line.includes('\n');
    if (this.#lines.length >= MAX_CHUNK_LINES || this.#characters >= MAX_CHUNK_CHARACTERS) {
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
    if (lines.length === 0) return undefined;
    const chunk = {
      body: Buffer.from(`${lines.join('\n')}\n`),
      lines: lines.length,
      multiline: this.#multiline,
    };
    this.#lines = [];
    this.#characters = 0;
    this.#multiline = false;
    return chunk;
  }
}
