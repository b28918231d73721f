import { rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { adoptSegments } from './adoption.ts';
import { bytesOfOthers } from './bytes-of-others.ts';
import { compressSegment } from './compression.ts';
import { frameBytes } from './frame.ts';
import { saveSegmentSync } from './last-segment.ts';
import type { BatchBounds, LineChunk } from './line-queue.ts';
import { AbandonedFolders, OwnedFolder } from './owner.ts';
import { MemoryBudget } from './recent-chunks.ts';
import { SegmentList } from './segment-list.ts';
import { SegmentReads, type Taken } from './segment-reads.ts';
import { Segment, type SegmentMemory } from './segment.ts';
import { SpareBuffers } from './spare-buffers.ts';
import { syncFolder, type SpoolFs } from './spool-fs.ts';
import { Turns } from './turns.ts';

const MAX_SEGMENT_BYTES = 2_000_000;
const MAX_SEGMENT_AGE_MS = 5000;
/** What was written last and is to be read next stays in memory up to this much: a few sends. */
const MAX_RECENT_BYTES = 8_000_000;
/** Holds most segments: the last append goes beyond their size. */
const SPARE_BYTES = 2_600_000;
const MAX_SPARES = 3;
/** Segments this far behind the one that is sent are compressed. */
const PLAIN_SEGMENTS = 3;
const ADOPTION_INTERVAL_MS = 30_000;

export interface SegmentStoreOptions {
  /** Folder of one destination; processes with the same destination share it. */
  readonly folder: string;
  /** Bound on disk over all processes that share the folder. */
  readonly maxBytes: number;
  readonly fsync: 'never' | 'interval' | 'always';
  readonly whenFull: 'drop-oldest' | 'refuse';
  readonly fs: SpoolFs;
  readonly onDropped: (reason: 'spool_full' | 'spool_corrupt', lines: number) => void;
  /** Lines of a process that died were taken over; negative when another process took over ours. */
  readonly onAdopted: (lines: number) => void;
}

/** The disk bound is reached and nothing may give way. */
export class SpoolFullError extends Error {}

/** The segments of one owner, oldest first; the last may be open. */
export class SegmentStore {
  readonly #options: SegmentStoreOptions;
  readonly #fs: SpoolFs;
  readonly #abandoned: AbandonedFolders;
  /** Appending, sealing and the bound, one at a time. */
  readonly #writes = new Turns();
  readonly #reads: SegmentReads;
  readonly #memory: SegmentMemory = {
    recent: new MemoryBudget(MAX_RECENT_BYTES),
    spares: new SpareBuffers(SPARE_BYTES, MAX_SPARES),
  };
  #owned: OwnedFolder | undefined;
  /** While the folder is being made. */
  #owning: Promise<OwnedFolder> | undefined;
  readonly #segments = new SegmentList();
  #current: Segment | undefined;
  #sequence = 0;
  #isDirty = false;
  #othersBytes = 0;
  #lastAdoption = -Infinity;

  constructor(options: SegmentStoreOptions) {
    this.#options = options;
    this.#fs = options.fs;
    this.#abandoned = new AbandonedFolders(options.fs);
    this.#reads = new SegmentReads(this.#segments, (lines) =>
      options.onDropped('spool_corrupt', lines),
    );
  }

  get waitingLines(): number {
    return this.#segments.waitingLines;
  }

  get pendingLines(): number {
    return this.#segments.pendingLines;
  }

  get pendingBytes(): number {
    return this.#segments.pendingBytes;
  }

  get oldestSince(): number | undefined {
    return this.#segments.oldestSince;
  }

  /**
   * Resolves when the bytes are with the operating system, or on the disk with `fsync: 'always'`, with
   * those chunks that are not kept in memory.
   */
  async append(chunks: readonly LineChunk[]): Promise<readonly LineChunk[]> {
    return await this.#writes.run(async () => {
      await this.#rotateIfDue();
      const bytes = chunks.reduce((sum, chunk) => sum + frameBytes(chunk), 0);
      await this.#makeRoom(bytes);
      const current = (this.#current ??= await this.#create());
      try {
        const onDiskAlone = await current.append(chunks, this.#options.fsync === 'always');
        this.#isDirty = true;
        return onDiskAlone;
      } catch (error) {
        await this.#seal().catch(() => {
          // The first error tells more.
        });
        throw error;
      }
    });
  }

  /** The next chunks, of the oldest segments that have any. */
  async take(bounds: BatchBounds): Promise<readonly Taken[]> {
    return await this.#reads.take(bounds);
  }

  async done(taken: readonly Taken[]): Promise<void> {
    await this.#reads.done(taken);
  }

  release(taken: readonly Taken[]): void {
    this.#reads.release(taken);
  }

  /** To be called about once a second. */
  async upkeep(): Promise<void> {
    const current = this.#current;
    if (current !== undefined && this.#isDirty && this.#options.fsync === 'interval') {
      this.#isDirty = false;
      await current.sync();
    }
    await this.#writes.run(async () => {
      if ((await this.#owned?.isOurs()) === false) await this.#giveUpFolder();
      // A delivered segment needs no crash to be read again after.
      if (this.#current?.pendingLines === 0) await this.#rotateIfDue();
    });
    if (performance.now() - this.#lastAdoption > ADOPTION_INTERVAL_MS) await this.adopt();
    const waiting = [...this.#segments].slice(PLAIN_SEGMENTS);
    const next = waiting.find((one) => !one.isOpen && !one.isCompressed && one.isUntouched);
    if (next !== undefined) {
      await compressSegment(this.#fs, next, this.#options.fsync !== 'never');
    }
  }

  /** Looks for segments of dead processes, and for how much the living ones hold. */
  async adopt(): Promise<void> {
    this.#lastAdoption = performance.now();
    const { folder, onAdopted } = this.#options;
    const { path } = await this.#folder();
    const adopted = await adoptSegments(this.#fs, folder, path, this.#abandoned, this.#memory);
    this.#segments.addOldest(adopted);
    const lines = adopted.reduce((sum, { pendingLines }) => sum + pendingLines, 0);
    if (lines > 0) onAdopted(lines);
    this.#othersBytes = await bytesOfOthers(this.#fs, folder, path);
  }

  async close(): Promise<void> {
    await this.#writes.run(async () => {
      if (this.#current !== undefined) await this.#seal();
      await this.#reads.settle();
      await this.#owned?.release();
    });
  }

  /** Nobody but the next owner of the folder reads it. */
  saveSync(chunks: readonly LineChunk[]): void {
    if (chunks.length === 0) return;
    saveSegmentSync(this.#owned?.path ?? join(this.#options.folder, `exit-${process.pid}`), chunks);
  }

  /** At the end of the process: gives the folder up. */
  releaseSync(): void {
    if (this.#owned === undefined) return;
    if (this.#current?.pendingLines === 0) rmSync(this.#current.path, { force: true });
    this.#owned.releaseSync();
  }

  async #folder(): Promise<OwnedFolder> {
    if (this.#owned !== undefined) return this.#owned;
    this.#owning ??= OwnedFolder.create(this.#fs, this.#options.folder);
    try {
      return (this.#owned = await this.#owning);
    } finally {
      this.#owning = undefined;
    }
  }

  async #create(): Promise<Segment> {
    if ((await this.#owned?.isOurs()) === false) await this.#giveUpFolder();
    const { path } = await this.#folder();
    this.#sequence++;
    const name = `${basename(path)}-${String(this.#sequence).padStart(6, '0')}`;
    const segment = await Segment.create(this.#fs, path, name, this.#memory);
    if (this.#options.fsync !== 'never') await syncFolder(this.#fs, path);
    this.#segments.add(segment);
    return segment;
  }

  /** Another process took this one for dead, and what was in the folder with it. */
  async #giveUpFolder(): Promise<void> {
    this.#owned = undefined;
    await this.#current?.seal().catch(() => {});
    this.#current = undefined;
    this.#options.onAdopted(-this.pendingLines);
    for (const segment of this.#segments) {
      this.#segments.forget(segment);
      segment.forgetContent();
    }
  }

  async #rotateIfDue(): Promise<void> {
    const current = this.#current;
    if (current === undefined) return;
    const isOld = performance.now() - current.since >= MAX_SEGMENT_AGE_MS;
    if (isOld || current.bytes >= this.#segmentBytes) await this.#seal();
  }

  get #segmentBytes(): number {
    return Math.min(MAX_SEGMENT_BYTES, this.#options.maxBytes / 8);
  }

  async #seal(): Promise<void> {
    const current = this.#current;
    if (current === undefined) return;
    this.#current = undefined;
    if (this.#isDirty && this.#options.fsync === 'interval') await current.sync();
    this.#isDirty = false;
    await current.seal();
    await this.#segments.removeIfFinished(current);
  }

  async #makeRoom(bytes: number): Promise<void> {
    const { maxBytes, whenFull, onDropped } = this.#options;
    const isOver = (): boolean => this.#segments.bytes + this.#othersBytes + bytes > maxBytes;
    if (!isOver()) return;
    if (whenFull === 'refuse') throw new SpoolFullError();
    await this.#seal();
    while (isOver()) {
      // What is under way may be stored already.
      const oldest = [...this.#segments].find((one) => one.waitingLines === one.pendingLines);
      if (oldest === undefined) throw new SpoolFullError();
      onDropped('spool_full', oldest.pendingLines);
      this.#segments.forget(oldest);
      await oldest.remove();
    }
  }
}
