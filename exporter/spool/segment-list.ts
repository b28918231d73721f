import type { Segment } from './segment.ts';

/** The segments of one owner, oldest first, and what they hold together. */
export class SegmentList implements Iterable<Segment> {
  readonly #segments: Segment[] = [];

  get waitingLines(): number {
    return this.#segments.reduce((sum, { waitingLines }) => sum + waitingLines, 0);
  }

  get pendingLines(): number {
    return this.#segments.reduce((sum, { pendingLines }) => sum + pendingLines, 0);
  }

  get pendingBytes(): number {
    return this.#segments.reduce((sum, { pendingBytes }) => sum + pendingBytes, 0);
  }

  /** On disk. */
  get bytes(): number {
    return this.#segments.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  get oldestSince(): number | undefined {
    return this.#segments.find(({ pendingLines }) => pendingLines > 0)?.since;
  }

  /** As they are now: what changes meanwhile does not disturb. */
  [Symbol.iterator](): Iterator<Segment> {
    return this.#segments.slice().values();
  }

  add(segment: Segment): void {
    this.#segments.push(segment);
  }

  /** Those of other owners, who are gone. */
  addOldest(segments: readonly Segment[]): void {
    this.#segments.unshift(...segments);
  }

  forget(segment: Segment): void {
    const at = this.#segments.indexOf(segment);
    if (at !== -1) this.#segments.splice(at, 1);
  }

  /** A segment that is sealed and done needs its file no more. */
  async removeIfFinished(segment: Segment): Promise<void> {
    if (segment.isOpen || segment.pendingLines > 0) return;
    this.forget(segment);
    await segment.remove();
  }
}
