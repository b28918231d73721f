/** Counts of one segment, or their sums over the segments of one owner. */
export interface SegmentCounts {
  /** Lines that nobody has read. */
  readonly waitingLines: number;
  /** Lines that are not done. */
  readonly pendingLines: number;
  readonly pendingBytes: number;
  readonly diskBytes: number;
}

const NOTHING: SegmentCounts = { waitingLines: 0, pendingLines: 0, pendingBytes: 0, diskBytes: 0 };

/** Running sums over the segments of one owner, so that no question walks over all of them. */
export class SegmentTotals implements SegmentCounts {
  waitingLines = 0;
  pendingLines = 0;
  pendingBytes = 0;
  diskBytes = 0;

  /** One segment's part in the sums; call it with the new counts after each change. */
  share(): (now: SegmentCounts | undefined) => void {
    let last = NOTHING;
    return (now = NOTHING) => {
      this.waitingLines += now.waitingLines - last.waitingLines;
      this.pendingLines += now.pendingLines - last.pendingLines;
      this.pendingBytes += now.pendingBytes - last.pendingBytes;
      this.diskBytes += now.diskBytes - last.diskBytes;
      last = now;
    };
  }
}
