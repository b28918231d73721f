import { isMainThread } from 'node:worker_threads';
import type { LineChunk } from '../spool/line-queue.ts';

/** Appending costs the same for one line as for many: wait this long for company. */
const GATHER_MS = 20;
/** A thread gets no chance to save what it gathers when the main thread ends. */
const THREAD_GATHER_MS = 1;
/** Whole chunks are sent, so one chunk is at most a fifth of a send. */
const MAX_CHUNK_LINES = 1000;
const MAX_CHUNK_BYTES = 512 * 1024;
/** Of chunks that were delivered. */
const MAX_SPARES = 8;
const LINE_FEED = 10;

/** One line without its line break. Its bytes may change after `copyTo`. */
export interface IntakeLine {
  /** Bytes. */
  readonly length: number;
  /** Whether a line break may be in it, inside a string. */
  readonly isMultiline: boolean;
  /** Copies the line into `target`, which has room for it. */
  copyTo(target: Buffer, at: number): void;
}

/** Gathers single lines into chunks. Costs the caller no more than a copy. */
export class Intake {
  readonly #onChunk: (chunk: LineChunk) => void;
  readonly #maxBytes: number;
  readonly #gatherMs = isMainThread ? GATHER_MS : THREAD_GATHER_MS;
  readonly #spares: Buffer[] = [];
  #bytes: Buffer | undefined;
  #end = 0;
  #lines = 0;
  #isMultiline = false;
  #timer: NodeJS.Timeout | undefined;

  /** `maxChunkBytes`: at most 512 KiB. */
  constructor(onChunk: (chunk: LineChunk) => void, maxChunkBytes: number = MAX_CHUNK_BYTES) {
    this.#onChunk = onChunk;
    this.#maxBytes = Math.min(maxChunkBytes, MAX_CHUNK_BYTES);
  }

  /** `line` without its line break at the end. */
  add(line: IntakeLine): void {
    const end = this.#end + line.length + 1;
    if (this.#lines > 0 && end > this.#maxBytes) {
      this.cut();
      this.add(line);
      return;
    }
    const bytes = this.#room(end);
    line.copyTo(bytes, this.#end);
    bytes[end - 1] = LINE_FEED;
    this.#end = end;
    this.#lines++;
    this.#isMultiline ||= line.isMultiline;
    if (this.#lines >= MAX_CHUNK_LINES) this.cut();
    else this.#timer ??= setTimeout(() => this.cut(), this.#gatherMs).unref();
  }

  /** Passes on what has been gathered. */
  cut(): void {
    const chunk = this.drain();
    if (chunk !== undefined) this.#onChunk(chunk);
  }

  /** What has been gathered. */
  drain(): LineChunk | undefined {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const bytes = this.#bytes;
    const lines = this.#lines;
    if (bytes === undefined || lines === 0) return undefined;
    const gathered = bytes.subarray(0, this.#end);
    const multiline = this.#isMultiline;
    this.#isMultiline = false;
    this.#lines = 0;
    this.#end = 0;
    if (gathered.length < bytes.length / 2) {
      // What may wait long must not hold the memory of more, nor a piece of Node's pool.
      const body = Buffer.allocUnsafeSlow(gathered.length);
      gathered.copy(body);
      return { body, lines, multiline };
    }
    this.#bytes = undefined;
    return { body: gathered, lines, multiline, recycle: () => this.#recycle(bytes) };
  }

  #room(end: number): Buffer {
    // Too short for a line that is longer than a chunk.
    if (this.#bytes === undefined || this.#bytes.length < end) {
      const spare = end > this.#maxBytes ? undefined : this.#spares.pop();
      this.#bytes = spare ?? Buffer.allocUnsafeSlow(Math.max(end, this.#maxBytes));
    }
    return this.#bytes;
  }

  /** Each new large buffer brings the next collection of the whole heap closer: some are used again. */
  #recycle(bytes: Buffer): void {
    const isUsual = bytes.length === this.#maxBytes;
    if (isUsual && this.#spares.length < MAX_SPARES) this.#spares.push(bytes);
  }
}
