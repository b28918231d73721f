import type { LineBuffer } from './lines/line-buffer.ts';
import type { LineChunk } from './spool/line-queue.ts';

/** Appending costs the same for one line as for many: wait this long for company. */
const GATHER_MS = 20;
/** Whole chunks are sent, so one chunk is at most a fifth of a send. */
const MAX_CHUNK_LINES = 1000;
const MAX_CHUNK_BYTES = 256 * 1024;
/** Chunks are pieces of slabs: those that lie side by side are sent without another copy. */
const SLAB_BYTES = 2 * 1024 * 1024;
const LINE_FEED = 10;

/** Gathers single lines into chunks. Costs the caller no more than a copy. */
export class Intake {
  readonly #onChunk: (chunk: LineChunk) => void;
  #slab: Buffer = Buffer.alloc(0);
  /** Where in the slab the chunk begins, and where it ends so far. */
  #start = 0;
  #end = 0;
  #lines = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(onChunk: (chunk: LineChunk) => void) {
    this.#onChunk = onChunk;
  }

  /** `line` without its line break at the end. */
  add(line: LineBuffer): void {
    const bytes = line.length + 1;
    if (this.#end + bytes > this.#slab.length) this.#nextSlab(bytes);
    line.copyTo(this.#slab, this.#end);
    this.#end += bytes;
    this.#slab[this.#end - 1] = LINE_FEED;
    this.#lines++;
    if (this.#lines >= MAX_CHUNK_LINES || this.#end - this.#start >= MAX_CHUNK_BYTES) this.cut();
    else this.#timer ??= setTimeout(() => this.cut(), GATHER_MS).unref();
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
    const body = this.#slab.subarray(this.#start, this.#end);
    this.#start = this.#end;
    this.#lines = 0;
    return { body, lines, multiline: countBreaks(body) > lines };
  }

  /** What was cut off the last one lives as long as somebody needs it. */
  #nextSlab(bytes: number): void {
    this.cut();
    this.#slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, bytes));
    this.#start = 0;
    this.#end = 0;
  }
}

function countBreaks(body: Buffer): number {
  let breaks = 0;
  for (let at = body.indexOf(LINE_FEED); at !== -1; at = body.indexOf(LINE_FEED, at + 1)) breaks++;
  return breaks;
}
