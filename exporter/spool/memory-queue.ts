import {
  type Acceptance,
  countFitting,
  type LineBatch,
  type LineChunk,
  type LineQueue,
  sumOfLines,
} from './line-queue.ts';

interface Held {
  readonly chunk: LineChunk;
  readonly since: number;
}

export interface MemoryQueueOptions {
  readonly maxBytes: number;
  /** Told of lines that gave way, the oldest first. */
  readonly onDropped: (lines: number) => void;
}

/** Bounded memory: what is used without a spool folder. A crash of the process loses it. */
export class MemoryQueue implements LineQueue {
  readonly #options: MemoryQueueOptions;
  readonly #waiting: Held[] = [];
  readonly #taken = new Set<readonly Held[]>();
  #waitingLines = 0;
  #pendingLines = 0;
  #pendingBytes = 0;

  constructor(options: MemoryQueueOptions) {
    this.#options = options;
  }

  get waitingLines(): number {
    return this.#waitingLines;
  }

  get pendingLines(): number {
    return this.#pendingLines;
  }

  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  get volatileLines(): number {
    return this.#pendingLines;
  }

  get oldestSince(): number | undefined {
    let oldest = this.#waiting[0]?.since;
    for (const [first] of this.#taken) {
      if (first !== undefined && (oldest === undefined || first.since < oldest)) {
        oldest = first.since;
      }
    }
    return oldest;
  }

  append(chunk: LineChunk): Promise<Acceptance> {
    this.#waiting.push({ chunk, since: performance.now() });
    this.#count(chunk, 1);
    this.#waitingLines += chunk.lines;
    // What is under way is not given up: it may be stored already.
    while (this.#pendingBytes > this.#options.maxBytes && this.#waiting.length > 1) {
      const oldest = this.#waiting.shift()?.chunk;
      if (oldest === undefined) break;
      this.#waitingLines -= oldest.lines;
      this.#count(oldest, -1);
      this.#options.onDropped(oldest.lines);
    }
    return Promise.resolve('durable');
  }

  take(maxLines: number, maxBytes: number): Promise<LineBatch | undefined> {
    const waiting = this.#waiting.map(({ chunk }) => chunk);
    const count = countFitting(waiting, { maxLines, maxBytes, minChunks: 1 });
    if (count === 0) return Promise.resolve(undefined);
    const held = this.#waiting.splice(0, count);
    const chunks = held.map(({ chunk }) => chunk);
    const lines = sumOfLines(chunks);
    this.#waitingLines -= lines;
    this.#taken.add(held);
    return Promise.resolve({
      chunks,
      lines,
      done: () => {
        if (this.#taken.delete(held)) for (const chunk of chunks) this.#count(chunk, -1);
      },
      release: () => {
        if (!this.#taken.delete(held)) return;
        this.#waiting.unshift(...held);
        this.#waitingLines += lines;
      },
    });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #count({ lines, body }: LineChunk, sign: 1 | -1): void {
    this.#pendingLines += sign * lines;
    this.#pendingBytes += sign * body.length;
  }
}
