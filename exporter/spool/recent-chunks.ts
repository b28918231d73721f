import { frameBytes } from './frame.ts';
import { type BatchBounds, countFitting, type LineChunk } from './line-queue.ts';

/** What all segments of a store may hold in memory together. */
export class MemoryBudget {
  #left: number;

  constructor(bytes: number) {
    this.#left = bytes;
  }

  /** False when there is no room for so many bytes. */
  take(bytes: number): boolean {
    if (bytes > this.#left) return false;
    this.#left -= bytes;
    return true;
  }

  giveBack(bytes: number): void {
    this.#left += bytes;
  }
}

/**
 * Chunks that were written to a segment a moment ago and will be read from it next: while the server
 * keeps up, nothing needs to be read back from the disk. Always a run without a gap, from where the
 * segment is read.
 */
export class RecentChunks {
  readonly #budget: MemoryBudget;
  readonly #chunks: LineChunk[] = [];
  /** Where in the segment the run ends. */
  #end = 0;

  constructor(budget: MemoryBudget) {
    this.#budget = budget;
  }

  /**
   * `at`: where in the segment the chunk begins; `readTo`: how far the segment was read. False for what
   * does not follow on, or finds no room, and so is read from the disk.
   */
  add(chunk: LineChunk, at: number, readTo: number): boolean {
    const follows = at === (this.#chunks.length === 0 ? readTo : this.#end);
    if (!follows || !this.#budget.take(frameBytes(chunk))) return false;
    this.#chunks.push(chunk);
    this.#end = at + frameBytes(chunk);
    return true;
  }

  /** The next whole chunks. */
  take(bounds: BatchBounds): LineChunk[] {
    const chunks = this.#chunks.splice(0, countFitting(this.#chunks, bounds));
    for (const chunk of chunks) this.#budget.giveBack(frameBytes(chunk));
    return chunks;
  }

  clear(): void {
    for (const chunk of this.#chunks.splice(0)) this.#budget.giveBack(frameBytes(chunk));
  }
}
