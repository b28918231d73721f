import { type BatchBounds, type LineChunk, sumOfLines } from './line-queue.ts';
import type { SegmentList } from './segment-list.ts';
import type { Segment } from './segment.ts';
import { Turns } from './turns.ts';

/** What was read of one segment. */
export interface Taken {
  readonly segment: Segment;
  readonly chunks: readonly LineChunk[];
}

/** Batches out of segments, the oldest first. */
export class SegmentReads {
  readonly #segments: SegmentList;
  readonly #onCorrupt: (lines: number) => void;
  readonly #turns = new Turns();
  readonly #removals = new Turns();

  constructor(segments: SegmentList, onCorrupt: (lines: number) => void) {
    this.#segments = segments;
    this.#onCorrupt = onCorrupt;
  }

  /** Nothing when nothing waits. */
  async take(bounds: BatchBounds): Promise<readonly Taken[]> {
    return await this.#turns.run(async () => {
      const taken: Taken[] = [];
      let left = bounds;
      for (const segment of this.#segments) {
        if (segment.waitingLines === 0) continue;
        try {
          const { chunks, corruptLines } = await segment.read(left);
          this.#onCorrupt(corruptLines);
          if (chunks.length > 0) {
            taken.push({ segment, chunks });
            left = leftOf(left, chunks);
          } else await this.#segments.removeIfFinished(segment);
          if (segment.waitingLines > 0) break;
        } catch {
          // The file stays where it is: perhaps the next start can read it.
          this.#onCorrupt(segment.waitingLines);
          this.#segments.forget(segment);
          segment.forgetContent();
        }
      }
      return taken;
    });
  }

  async done(taken: readonly Taken[]): Promise<void> {
    for (const { segment, chunks } of taken) segment.done(chunks);
    await this.#removals.run(async () => {
      for (const { segment } of taken) await this.#segments.removeIfFinished(segment);
    });
  }

  /** Resolves when what was done has left the disk. */
  async settle(): Promise<void> {
    await this.#removals.run(async () => {});
  }

  release(taken: readonly Taken[]): void {
    for (const { segment, chunks } of taken) segment.unread(chunks);
  }
}

function leftOf({ maxLines, maxBytes }: BatchBounds, taken: readonly LineChunk[]): BatchBounds {
  const bytes = taken.reduce((sum, { body }) => sum + body.length, 0);
  return { maxLines: maxLines - sumOfLines(taken), maxBytes: maxBytes - bytes, minChunks: 0 };
}
