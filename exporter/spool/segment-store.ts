import { rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { SpoolBound } from './bound.ts';
import { frameBytes } from './frame.ts';
import { type BatchBounds, type LineChunk, sumOfLines } from './line-queue.ts';
import { describeDestination } from './backlog.ts';
import { OwnedFolder } from './owner.ts';
import { MemoryBudget } from './recent-chunks.ts';
import { saveSegmentSync } from './segment-file.ts';
import { SegmentList, type Taken } from './segment-list.ts';
import { Segment, type SegmentShared } from './segment.ts';
import { SegmentTotals } from './segment-totals.ts';
import { bytesOnDisk, syncFolder, type SpoolFs } from './spool-fs.ts';
import { Turns } from './turns.ts';

const MAX_SEGMENT_BYTES = 2_000_000;
/** A segment that is delivered meanwhile is closed after so long: a crash would send it again. */
const MAX_DELIVERED_AGE_MS = 5000;
/** What was written last and is to be read next stays in memory up to this much: a few sends. */
const MAX_RECENT_BYTES = 8_000_000;

export interface SegmentStoreOptions {
  /** Folder of one destination; processes with the same destination share it. */
  readonly folder: string;
  /** Where these lines go, for people and tools that look into the folder. */
  readonly destination: Readonly<Record<string, string>>;
  /** Bound on disk over all processes that share the folder. */
  readonly maxBytes: number;
  readonly fsync: 'never' | 'interval' | 'always';
  readonly whenFull: 'drop-oldest' | 'refuse';
  readonly fs: SpoolFs;
  readonly onDropped: (
    reason: 'spool_full' | 'spool_corrupt' | 'spool_removed',
    lines: number,
  ) => void;
  /** Lines of a process that died were taken over. */
  readonly onAdopted: (lines: number) => void;
  /** Another process took this one for dead, and over these lines. */
  readonly onHandedOver: (lines: number) => void;
  /** Something went wrong beside appending; it is tried again. */
  readonly onUpkeepError: (error: Error) => void;
  /** Age from which a segment that waits is compressed. @default 10000 */
  readonly compressAfterMs?: number;
}

/** The disk bound is reached and nothing may give way. */
export class SpoolFullError extends Error {}

/** The segments of one owner: appending, reading, and the bound. What is done from time to time is `Upkeep`. */
export class SegmentStore {
  readonly segments: SegmentList;
  readonly shared: SegmentShared;
  readonly #options: SegmentStoreOptions;
  readonly #bound: SpoolBound;
  /** Appending, sealing and the bound, one at a time. */
  readonly #writes = new Turns();
  #owned: OwnedFolder | undefined;
  /** While the folder is being made. */
  #owning: Promise<OwnedFolder> | undefined;
  #current: Segment | undefined;
  #sequence = 0;
  #isDirty = false;

  constructor(options: SegmentStoreOptions) {
    const { fs, folder, maxBytes, onDropped, onUpkeepError } = options;
    this.#options = options;
    this.shared = { fs, recent: new MemoryBudget(MAX_RECENT_BYTES), totals: new SegmentTotals() };
    this.segments = new SegmentList(fs, { onDropped, onError: onUpkeepError });
    this.#bound = new SpoolBound(fs, folder, maxBytes);
  }

  get totals(): Readonly<SegmentTotals> {
    return this.shared.totals;
  }

  /**
   * Resolves when the bytes are with the operating system, or on the disk with `fsync: 'always'`, with
   * those chunks that are not kept in memory.
   */
  async append(chunks: readonly LineChunk[]): Promise<readonly LineChunk[]> {
    return await this.#writes.run(async () => await this.#append(chunks));
  }

  /** The next chunks, of the oldest segments that have any. */
  async take(bounds: BatchBounds): Promise<readonly Taken[]> {
    return await this.segments.take(bounds);
  }

  /** Forces to the disk what was appended since the last time. */
  async sync(): Promise<void> {
    if (!this.#isDirty) return;
    this.#isDirty = false;
    await this.#current?.sync();
  }

  /** Closes a segment whose lines are delivered, so that its file can go. */
  async rotate(): Promise<void> {
    await this.#writes.run(async () => await this.#rotateIfDue());
  }

  /** Gives a sign of life; finds out when the folder was taken or removed. */
  async keepAlive(): Promise<void> {
    const owned = this.#owned;
    if (owned === undefined || (await owned.isOurs())) return;
    await this.#writes.run(async () => {
      if (this.#owned === owned) await this.#leave();
    });
  }

  /** Looks how much the other owners hold. */
  async survey(): Promise<void> {
    const { path } = await this.folder();
    await this.#bound.survey(path, this.totals.diskBytes);
  }

  /** The folder of this owner, made when first asked for. */
  async folder(): Promise<OwnedFolder> {
    if (this.#owned !== undefined) return this.#owned;
    const { fs, folder, fsync, destination } = this.#options;
    this.#owning ??= OwnedFolder.create(fs, folder, fsync !== 'never').then(async (owned) => {
      await describeDestination(fs, folder, destination);
      return owned;
    });
    try {
      return (this.#owned = await this.#owning);
    } finally {
      this.#owning = undefined;
    }
  }

  async close(): Promise<void> {
    await this.#writes.run(async () => {
      await this.#seal();
      await this.segments.settled();
      await this.#owned?.release();
    });
  }

  /** Appends without waiting, in a file of its own. The process may end or go on afterwards. */
  saveSync(chunks: readonly LineChunk[]): void {
    if (chunks.length === 0) return;
    const saved = this.copySync(chunks);
    // Without a folder yet, the file is found like that of a dead process.
    if (this.#owned !== undefined) this.segments.add(Segment.saved(this.shared, saved));
  }

  /** Writes a file that this owner never reads. */
  copySync(chunks: readonly LineChunk[]): { path: string; bytes: number; lines: number } {
    const { folder, fsync } = this.#options;
    const path = this.#owned?.path ?? join(folder, `exit-${process.pid}`);
    return saveSegmentSync(path, chunks, fsync !== 'never');
  }

  /** At the end of the process: gives the folder up. */
  releaseSync(): void {
    if (this.#owned === undefined) return;
    if (this.#current?.pendingLines === 0) rmSync(this.#current.path, { force: true });
    this.#owned.releaseSync();
  }

  async #append(chunks: readonly LineChunk[]): Promise<readonly LineChunk[]> {
    await this.#rotateIfDue();
    await this.#makeRoom(chunks.reduce((sum, chunk) => sum + frameBytes(chunk), 0));
    const current = (this.#current ??= await this.#create());
    try {
      const onDiskAlone = await current.append(chunks, this.#options.fsync === 'always');
      this.#isDirty = this.#options.fsync === 'interval';
      return onDiskAlone;
    } catch (error) {
      await this.#seal().catch(() => {
        // The first error says more.
      });
      throw error;
    }
  }

  async #create(): Promise<Segment> {
    const { path } = await this.folder();
    this.#sequence++;
    const name = `${basename(path)}-${String(this.#sequence).padStart(6, '0')}`;
    const segment = await Segment.create(this.shared, path, name);
    if (this.#options.fsync !== 'never') await syncFolder(this.#options.fs, path);
    this.segments.add(segment);
    return segment;
  }

  async #rotateIfDue(): Promise<void> {
    const current = this.#current;
    if (current === undefined) return;
    const isOld = performance.now() - current.since >= MAX_DELIVERED_AGE_MS;
    const isFull = current.bytes >= this.#segmentBytes;
    if (isFull || (isOld && current.isPartlyDone)) await this.#seal();
  }

  get #segmentBytes(): number {
    // Segments give way as a whole: each is to be a small part of what this owner may use.
    return Math.min(MAX_SEGMENT_BYTES, this.#bound.allowed / 8);
  }

  async #seal(): Promise<void> {
    const current = this.#current;
    if (current === undefined) return;
    this.#current = undefined;
    if (this.#isDirty) await current.sync();
    this.#isDirty = false;
    await current.seal();
    await this.segments.removeIfFinished(current);
  }

  async #makeRoom(bytes: number): Promise<void> {
    const { whenFull, onDropped } = this.#options;
    const isOver = (givenUp = 0): boolean =>
      this.totals.diskBytes - givenUp + bytesOnDisk(bytes) > this.#bound.allowed;
    if (!isOver()) return;
    await this.survey();
    if (!isOver()) return;
    const droppable = [...this.segments].filter(({ isDroppable }) => isDroppable);
    const givenUp = droppable.reduce((sum, one) => sum + bytesOnDisk(one.bytes), 0);
    // Nothing gives way to lines that find no room even then.
    if (whenFull === 'refuse' || isOver(givenUp)) throw new SpoolFullError();
    await this.#seal();
    for (const oldest of droppable) {
      if (!isOver()) return;
      if (!oldest.isDroppable) continue;
      onDropped('spool_full', oldest.pendingLines);
      this.segments.forget(oldest);
      await oldest.remove();
    }
    if (isOver()) throw new SpoolFullError();
  }

  /** The folder is gone. What can still be read moves to a new one. */
  async #leave(): Promise<void> {
    const { onDropped, onHandedOver } = this.#options;
    const current = this.#current;
    this.#owned = undefined;
    this.#current = undefined;
    const isTaken = await this.#hasOtherOwners();
    // A file that was removed can be read as long as it is open; one that was moved belongs to its new owner.
    const rescued = isTaken ? [] : await this.#readRest(current);
    let lines = 0;
    for (const segment of this.segments) {
      lines += segment.waitingLines;
      this.segments.forget(segment);
    }
    await current?.close();
    if (isTaken) onHandedOver(lines);
    else onDropped('spool_removed', lines);
    if (rescued.length > 0) await this.#append(rescued);
  }

  async #hasOtherOwners(): Promise<boolean> {
    const { fs, folder } = this.#options;
    const entries = await fs.readdir(folder, { withFileTypes: true }).catch(() => []);
    return entries.some((entry) => entry.isDirectory());
  }

  async #readRest(current: Segment | undefined): Promise<readonly LineChunk[]> {
    const rest: LineChunk[] = [];
    while (current !== undefined && current.waitingLines > 0) {
      const all = { maxLines: Infinity, maxBytes: Infinity, minChunks: 1 } as const;
      const chunks = await current.read(all).then(
        (read) => read.chunks,
        () => [],
      );
      if (sumOfLines(chunks) === 0) break;
      rest.push(...chunks);
    }
    return rest;
  }
}
