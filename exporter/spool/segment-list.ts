import { basename, dirname, join } from 'node:path';
import { type BatchBounds, type LineChunk, sumOfLines } from './line-queue.ts';
import { DamagedFileError } from './segment-file.ts';
import type { Segment } from './segment.ts';
import { codeOf, type SpoolFs } from './spool-fs.ts';
import { Turns } from './turns.ts';

/** What was read of one segment. */
export interface Taken {
  readonly segment: Segment;
  readonly chunks: readonly LineChunk[];
}

export interface SegmentListEvents {
  readonly onDropped: (reason: 'spool_corrupt' | 'spool_removed', lines: number) => void;
  /** A segment could not be read or removed; that is tried again. */
  readonly onError: (error: Error) => void;
}

/** A segment that could not be read is left alone for so long. */
const RETRY_MS = 1000;

/** The segments of one owner, read from the oldest on. */
export class SegmentList implements Iterable<Segment> {
  readonly #fs: SpoolFs;
  readonly #events: SegmentListEvents;
  /** Of other owners, who are gone. */
  readonly #adopted = new Set<Segment>();
  readonly #own = new Set<Segment>();
  readonly #retryAt = new Map<Segment, number>();
  readonly #reads = new Turns();
  readonly #removals = new Turns();

  constructor(fs: SpoolFs, events: SegmentListEvents) {
    this.#fs = fs;
    this.#events = events;
  }

  /** `performance.now()` of the oldest line that is not done. */
  get oldestSince(): number | undefined {
    let oldest: number | undefined;
    for (const { pendingLines, since } of this) {
      if (pendingLines > 0 && (oldest === undefined || since < oldest)) oldest = since;
    }
    return oldest;
  }

  *[Symbol.iterator](): Generator<Segment> {
    yield* this.#adopted;
    yield* this.#own;
  }

  add(segment: Segment): void {
    this.#own.add(segment);
  }

  addAdopted(segment: Segment): void {
    this.#adopted.add(segment);
  }

  /** The segment belongs to this owner no more. */
  forget(segment: Segment): void {
    this.#adopted.delete(segment);
    this.#own.delete(segment);
    this.#retryAt.delete(segment);
    segment.forget();
  }

  /** The next chunks, of the oldest segments that have any; nothing when nothing can be read. */
  async take(bounds: BatchBounds): Promise<readonly Taken[]> {
    return await this.#reads.run(async () => {
      const taken: Taken[] = [];
      let left = bounds;
      for (const segment of this) {
        if (segment.waitingLines === 0 || this.#isResting(segment)) continue;
        const chunks = await this.#read(segment, left);
        if (chunks === undefined) continue;
        if (chunks.length > 0) {
          taken.push({ segment, chunks });
          left = leftOf(left, chunks);
        }
        if (segment.waitingLines > 0) break;
      }
      return taken;
    });
  }

  async done(taken: readonly Taken[]): Promise<void> {
    for (const { segment, chunks } of taken) segment.done(chunks);
    await this.#removals.run(async () => {
      for (const { segment } of taken) await this.removeIfFinished(segment);
    });
  }

  release(taken: readonly Taken[]): void {
    for (const { segment, chunks } of taken) {
      if (!segment.unread(chunks)) this.#events.onDropped('spool_removed', sumOfLines(chunks));
    }
  }

  /** A segment that is sealed and done needs its file no more. */
  async removeIfFinished(segment: Segment): Promise<void> {
    if (segment.isOpen || segment.pendingLines > 0) return;
    this.forget(segment);
    await segment.remove();
  }

  /** Resolves when what was done has left the disk. */
  async settled(): Promise<void> {
    await this.#removals.run(async () => {});
  }

  #isResting(segment: Segment): boolean {
    return performance.now() < (this.#retryAt.get(segment) ?? 0);
  }

  /** Undefined when the segment cannot be read, now or ever. */
  async #read(segment: Segment, bounds: BatchBounds): Promise<readonly LineChunk[] | undefined> {
    try {
      const { chunks, corruptLines } = await segment.read(bounds);
      this.#retryAt.delete(segment);
      if (corruptLines > 0) this.#events.onDropped('spool_corrupt', corruptLines);
      if (chunks.length === 0) await this.removeIfFinished(segment);
      return chunks;
    } catch (error) {
      await this.#failed(segment, error as Error);
      return undefined;
    }
  }

  async #failed(segment: Segment, error: Error): Promise<void> {
    if (error instanceof DamagedFileError) {
      // Beside the folders of the owners, where nobody takes it for a segment.
      const kept = join(dirname(dirname(segment.path)), `${basename(segment.path)}.damaged`);
      const isKept = await this.#fs.rename(segment.path, kept).then(
        () => true,
        () => false,
      );
      if (!isKept) return this.#rest(segment, error);
      this.#events.onDropped('spool_corrupt', segment.waitingLines);
      this.forget(segment);
    } else if (codeOf(error) === 'ENOENT') {
      this.#events.onDropped('spool_removed', segment.waitingLines);
      this.forget(segment);
    } else {
      // Out of file descriptors or memory, a mount that is away: none of that is damage.
      this.#rest(segment, error);
    }
  }

  #rest(segment: Segment, error: Error): void {
    this.#retryAt.set(segment, performance.now() + RETRY_MS);
    this.#events.onError(error);
  }
}

function leftOf({ maxLines, maxBytes }: BatchBounds, taken: readonly LineChunk[]): BatchBounds {
  const bytes = taken.reduce((sum, { body }) => sum + body.length, 0);
  return { maxLines: maxLines - sumOfLines(taken), maxBytes: maxBytes - bytes, minChunks: 0 };
}
