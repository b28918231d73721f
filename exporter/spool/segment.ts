import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { countLines, frameBytes, frameHeader, readFrames } from './frame.ts';
import { type BatchBounds, countFitting, type LineChunk, sumOfLines } from './line-queue.ts';
import { type MemoryBudget, RecentChunks } from './recent-chunks.ts';
import { SegmentContent } from './segment-content.ts';
import {
  isCompressed,
  linesInName,
  nameOfCompressed,
  nameOfOpen,
  nameOfSealed,
} from './segment-name.ts';
import type { SpareBuffers } from './spare-buffers.ts';
import { removeFile, type SpoolFs } from './spool-fs.ts';
import { Turns } from './turns.ts';

function sumOfBytes(chunks: readonly LineChunk[]): number {
  return chunks.reduce((sum, chunk) => sum + frameBytes(chunk), 0);
}

export interface SegmentRead {
  readonly chunks: readonly LineChunk[];
  /** Lines that did not match their checksum. */
  readonly corruptLines: number;
}

/** What the segments of a store share. */
export interface SegmentMemory {
  readonly recent: MemoryBudget;
  readonly spares: SpareBuffers;
}

/** One file of the spool: appended to while open, then sealed, read from front to back, removed. */
export class Segment {
  readonly #fs: SpoolFs;
  #path: string;
  #handle: FileHandle | undefined;
  #bytes: number;
  readonly #content: SegmentContent;
  #readTo = 0;
  #lines: number;
  #readLines = 0;
  #doneLines = 0;
  #doneBytes = 0;
  readonly #recent: RecentChunks;
  /** Read, and given back. */
  readonly #released: LineChunk[] = [];
  readonly #turns = new Turns();
  #syncing: Promise<void> = Promise.resolve();
  /** `performance.now()` of the first line, as far as it is known. */
  readonly since: number = performance.now();

  private constructor(
    fs: SpoolFs,
    path: string,
    bytes: number,
    lines: number,
    { recent, spares }: SegmentMemory,
  ) {
    this.#recent = new RecentChunks(recent);
    this.#content = new SegmentContent(fs, spares);
    this.#fs = fs;
    this.#path = path;
    this.#bytes = bytes;
    this.#lines = lines;
  }

  static async create(
    fs: SpoolFs,
    folder: string,
    name: string,
    memory: SegmentMemory,
  ): Promise<Segment> {
    const path = join(folder, nameOfOpen(name));
    const segment = new Segment(fs, path, 0, 0, memory);
    segment.#handle = await fs.open(path, 'wx+', 0o600);
    return segment;
  }

  /** A file of a process that is gone; one that was left open is counted and sealed. */
  static async found(fs: SpoolFs, path: string, memory: SegmentMemory): Promise<Segment> {
    const lines = linesInName(path);
    if (lines !== undefined) {
      return new Segment(fs, path, (await fs.stat(path)).size, lines, memory);
    }
    const bytes = await fs.readFile(path);
    const counted = countLines(bytes);
    await fs.rename(path, nameOfSealed(path, counted));
    return new Segment(fs, nameOfSealed(path, counted), bytes.length, counted, memory);
  }

  get path(): string {
    return this.#path;
  }

  /** On disk. */
  get bytes(): number {
    return this.#bytes;
  }

  get isOpen(): boolean {
    return this.#handle !== undefined;
  }

  get isCompressed(): boolean {
    return isCompressed(this.#path);
  }

  /** Lines that nobody has read. */
  get waitingLines(): number {
    return this.#lines - this.#readLines;
  }

  /** Lines that are not done. */
  get pendingLines(): number {
    return this.#lines - this.#doneLines;
  }

  get pendingBytes(): number {
    if (this.pendingLines === 0) return 0;
    return this.isCompressed || this.#doneLines === 0 ? this.#bytes : this.#bytes - this.#doneBytes;
  }

  /** Nothing of it was read, or is being read. */
  get isUntouched(): boolean {
    return !this.#turns.isTaken && this.#readTo === 0;
  }

  /**
   * Resolves with those chunks that are not kept in memory. Rejects when not everything was written; the
   * segment must be sealed then.
   */
  async append(chunks: readonly LineChunk[], sync: boolean): Promise<readonly LineChunk[]> {
    const handle = this.#handle;
    if (handle === undefined) throw new Error(`${this.#path} is sealed`);
    const bytes = sumOfBytes(chunks);
    const buffers = chunks.flatMap((chunk) => [frameHeader(chunk), chunk.body]);
    const { bytesWritten } = await handle.writev(buffers, this.#bytes);
    if (bytesWritten < bytes) throw new Error(`${this.#path} takes no more bytes`);
    if (sync) await handle.datasync();
    const onDiskAlone: LineChunk[] = [];
    for (const chunk of chunks) {
      if (!this.#recent.add(chunk, this.#bytes, this.#readTo)) onDiskAlone.push(chunk);
      this.#bytes += frameBytes(chunk);
    }
    this.#lines += sumOfLines(chunks);
    return onDiskAlone;
  }

  /** Forces what was appended to the disk, while appending goes on. */
  async sync(): Promise<void> {
    this.#syncing = this.#handle?.datasync() ?? Promise.resolve();
    await this.#syncing;
  }

  /** Ends appending and puts the number of lines into the name. */
  async seal(): Promise<void> {
    await this.#turns.run(async () => {
      const handle = this.#handle;
      if (handle === undefined) return;
      this.#handle = undefined;
      await this.#syncing.catch(() => {});
      // A torn frame at the end belongs to nobody.
      await handle.truncate(this.#bytes).catch(() => {});
      await handle.close();
      const path = nameOfSealed(this.#path, this.#lines);
      await this.#fs.rename(this.#path, path);
      this.#path = path;
    });
  }

  /** The next whole chunks. */
  async read(bounds: BatchBounds): Promise<SegmentRead> {
    return await this.#turns.run(async () => {
      if (this.#released.length > 0) return { chunks: this.#takeReleased(bounds), corruptLines: 0 };
      const recent = this.#recent.take(bounds);
      if (recent.length > 0) {
        this.#readTo += sumOfBytes(recent);
        this.#readLines += sumOfLines(recent);
        return { chunks: recent, corruptLines: 0 };
      }
      const { chunks, damagedLines, end, isWhole } = readFrames(await this.#unread(), bounds);
      let corruptLines = damagedLines;
      this.#readTo += end;
      this.#readLines += sumOfLines(chunks) + damagedLines;
      // A torn frame at the end was never accepted; what the name promises beyond was.
      if (isWhole && !this.isOpen) {
        this.#content.forget();
        const missing = Math.max(0, this.#lines - this.#readLines);
        corruptLines += missing;
        this.#readLines += missing;
        this.#lines = this.#readLines;
      }
      this.#doneLines += corruptLines;
      return { chunks, corruptLines };
    });
  }

  /** Lines of a `read` are stored, or dropped and counted. */
  done(chunks: readonly LineChunk[]): void {
    for (const chunk of chunks) {
      this.#doneLines += chunk.lines;
      this.#doneBytes += frameBytes(chunk);
    }
  }

  /** Lines of a `read` were not done: reading begins again at the first line that is not. */
  unread(chunks: readonly LineChunk[]): void {
    this.#released.push(...chunks);
    this.#readLines -= sumOfLines(chunks);
  }

  /** Path of the compressed file in the place of a sealed one. */
  get compressedPath(): string {
    return nameOfCompressed(this.#path);
  }

  /** Another file holds the same now; false when somebody has begun to read this one. */
  replaceBy(path: string, bytes: number): boolean {
    if (!this.isUntouched) return false;
    this.#path = path;
    this.#bytes = bytes;
    return true;
  }

  /** Nobody will read it any more. */
  forgetContent(): void {
    this.#recent.clear();
    this.#content.forget();
  }

  /** All of it is done, or none of it was taken. */
  async remove(): Promise<void> {
    await this.#turns.run(async () => {
      this.#recent.clear();
      this.#content.recycle();
      const handle = this.#handle;
      this.#handle = undefined;
      await this.#syncing.catch(() => {});
      await handle?.close();
      await removeFile(this.#fs, this.#path);
    });
  }

  #takeReleased(bounds: BatchBounds): LineChunk[] {
    const chunks = this.#released.splice(0, countFitting(this.#released, bounds));
    this.#readLines += sumOfLines(chunks);
    return chunks;
  }

  /** From the first byte nobody has read to the end. */
  async #unread(): Promise<Buffer> {
    const handle = this.#handle;
    if (handle !== undefined) {
      return await this.#content.ofOpen(handle, this.#readTo, this.#bytes);
    }
    return (await this.#content.ofSealed(this.#path, this.#bytes)).subarray(this.#readTo);
  }
}
