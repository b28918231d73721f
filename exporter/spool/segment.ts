import type { FileHandle } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { countLines, frameBytes, frameHeader, readFrames } from './frame.ts';
import { type BatchBounds, countFitting, type LineChunk, sumOfLines } from './line-queue.ts';
import { type MemoryBudget, RecentChunks } from './recent-chunks.ts';
import {
  isCompressed,
  linesInName,
  nameOfOpen,
  nameOfSealed,
  readOpen,
  readSealed,
  writeCompressed,
} from './segment-file.ts';
import type { SegmentTotals } from './segment-totals.ts';
import { bytesOnDisk, codeOf, removeFile, type SpoolFs } from './spool-fs.ts';
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
export interface SegmentShared {
  readonly fs: SpoolFs;
  readonly recent: MemoryBudget;
  readonly totals: SegmentTotals;
}

interface FileFacts {
  readonly path: string;
  readonly bytes: number;
  readonly lines: number;
  /** `Date.now()` of the first line, as far as the file system knows. */
  readonly since: number;
}

/** One file of the spool: appended to while open, then sealed, read from front to back, removed. */
export class Segment {
  readonly #shared: SegmentShared;
  #path: string;
  #handle: FileHandle | undefined;
  #bytes: number;
  /** A sealed file is read once, as a whole. */
  #whole: Buffer | undefined;
  #readTo = 0;
  #lines: number;
  #readLines = 0;
  #doneLines = 0;
  #doneBytes = 0;
  /** Of a segment that was appended to by this process. */
  #recent: RecentChunks | undefined;
  /** Read, and given back. */
  #released: LineChunk[] = [];
  readonly #turns = new Turns();
  #syncing: Promise<void> = Promise.resolve();
  #isForgotten = false;
  readonly #share: ReturnType<SegmentTotals['share']>;
  readonly #since: number;

  private constructor(shared: SegmentShared, { path, bytes, lines, since }: FileFacts) {
    this.#shared = shared;
    this.#share = shared.totals.share();
    this.#path = path;
    this.#bytes = bytes;
    this.#lines = lines;
    // Ages are measured by the steady clock.
    this.#since = performance.now() - Math.max(0, Date.now() - since);
    this.#count();
  }

  static async create(shared: SegmentShared, folder: string, name: string): Promise<Segment> {
    const path = join(folder, nameOfOpen(name));
    const handle = await shared.fs.open(path, 'wx+', 0o600);
    const segment = new Segment(shared, { path, bytes: 0, lines: 0, since: Date.now() });
    segment.#handle = handle;
    segment.#recent = new RecentChunks(shared.recent);
    return segment;
  }

  /** A file that was written as a whole by this process. */
  static saved(shared: SegmentShared, facts: Omit<FileFacts, 'since'>): Segment {
    return new Segment(shared, { ...facts, since: Date.now() });
  }

  /**
   * Moves a file of a process that is gone into `folder`; one that was left open is counted and sealed.
   * The one rename comes last: what cannot be read stays where it is. Undefined when another process took it.
   */
  static async adopt(
    shared: SegmentShared,
    from: string,
    folder: string,
  ): Promise<Segment | undefined> {
    const { fs } = shared;
    try {
      const { size, mtimeMs, birthtimeMs } = await fs.stat(from);
      const since =
        isCompressed(from) || birthtimeMs <= 0 ? mtimeMs : Math.min(birthtimeMs, mtimeMs);
      const inName = linesInName(from);
      const lines = inName ?? countLines(await fs.readFile(from));
      const path = inName === undefined ? nameOfSealed(from, lines) : from;
      const to = join(folder, basename(path));
      await fs.rename(from, to);
      return new Segment(shared, { path: to, bytes: size, lines, since });
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  get path(): string {
    return this.#path;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get isOpen(): boolean {
    return this.#handle !== undefined;
  }

  /** `performance.now()` of the first line, as far as it is known. */
  get since(): number {
    return this.#since;
  }

  get waitingLines(): number {
    return this.#lines - this.#readLines;
  }

  get pendingLines(): number {
    return this.#lines - this.#doneLines;
  }

  /** Some of its lines were delivered: after a crash they would be sent again. */
  get isPartlyDone(): boolean {
    return this.#doneLines > 0;
  }

  /** Whether it may give way to newer lines: what is under way may be stored already. */
  get isDroppable(): boolean {
    return !this.#turns.isTaken && this.waitingLines === this.pendingLines;
  }

  /** Worth compressing: sealed, of some size, and nobody reads it. */
  get isCompressible(): boolean {
    const isPlain = !this.isOpen && !isCompressed(this.#path) && this.#bytes > bytesOnDisk(1);
    return isPlain && !this.#turns.isTaken && this.#readTo === 0;
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
      if (this.#recent?.add(chunk, this.#bytes, this.#readTo) !== true) onDiskAlone.push(chunk);
      this.#bytes += frameBytes(chunk);
    }
    this.#lines += sumOfLines(chunks);
    this.#count();
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
      await this.#shared.fs.rename(this.#path, path);
      this.#path = path;
    });
  }

  /** The next whole chunks. Throws what the file system threw, and can be tried again then. */
  async read(bounds: BatchBounds): Promise<SegmentRead> {
    return await this.#turns.run(async () => {
      const inMemory = this.#takeReleased(bounds) ?? this.#takeRecent(bounds);
      if (inMemory !== undefined) {
        this.#count();
        return { chunks: inMemory, corruptLines: 0 };
      }
      const { chunks, damagedLines, end, isWhole } = readFrames(await this.#unread(), bounds);
      let corruptLines = damagedLines;
      this.#readTo += end;
      this.#readLines += sumOfLines(chunks) + damagedLines;
      // A torn frame at the end was never accepted; what the name promises beyond was.
      if (isWhole && !this.isOpen) {
        this.#whole = undefined;
        const missing = Math.max(0, this.#lines - this.#readLines);
        corruptLines += missing;
        this.#readLines += missing;
        this.#lines = this.#readLines;
      }
      this.#doneLines += corruptLines;
      this.#count();
      return { chunks, corruptLines };
    });
  }

  /** Lines of a `read` are stored, or dropped and counted. */
  done(chunks: readonly LineChunk[]): void {
    for (const chunk of chunks) {
      this.#doneLines += chunk.lines;
      this.#doneBytes += frameBytes(chunk);
    }
    this.#count();
  }

  /** Lines of a `read` were not done and are the next to be read. False when the segment is gone. */
  unread(chunks: readonly LineChunk[]): boolean {
    if (this.#isForgotten) return false;
    this.#released.push(...chunks);
    this.#readLines -= sumOfLines(chunks);
    this.#count();
    return true;
  }

  /** Puts a compressed file in the place of this one, unless somebody begins to read it meanwhile. */
  async compress(sync: boolean): Promise<void> {
    const { fs } = this.#shared;
    const since = new Date(Date.now() - (performance.now() - this.#since));
    const plain = this.#path;
    const { path, bytes } = await writeCompressed(fs, plain, since, sync);
    const isInTime = !this.#isForgotten && this.isCompressible;
    if (isInTime) {
      this.#path = path;
      this.#bytes = bytes;
      this.#count();
    }
    await removeFile(fs, isInTime ? plain : path);
  }

  /** It belongs to this owner no more; the file stays. */
  forget(): void {
    this.#recent?.clear();
    this.#whole = undefined;
    this.#isForgotten = true;
    this.#count();
  }

  /** All of it is done, or none of it was taken. */
  async remove(): Promise<void> {
    this.forget();
    await this.#turns.run(async () => {
      await this.close();
      await removeFile(this.#shared.fs, this.#path);
    });
  }

  async close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await this.#syncing.catch(() => {});
    await handle?.close();
  }

  #takeReleased(bounds: BatchBounds): LineChunk[] | undefined {
    if (this.#released.length === 0) return undefined;
    const chunks = this.#released.splice(0, countFitting(this.#released, bounds));
    this.#readLines += sumOfLines(chunks);
    return chunks;
  }

  #takeRecent(bounds: BatchBounds): LineChunk[] | undefined {
    const chunks = this.#recent?.take(bounds) ?? [];
    if (chunks.length === 0) return undefined;
    this.#readTo += sumOfBytes(chunks);
    this.#readLines += sumOfLines(chunks);
    return chunks;
  }

  /** From the first byte nobody has read to the end. */
  async #unread(): Promise<Buffer> {
    const handle = this.#handle;
    if (handle !== undefined) return await readOpen(handle, this.#readTo, this.#bytes);
    this.#whole ??= await readSealed(this.#shared.fs, this.#path);
    return this.#whole.subarray(this.#readTo);
  }

  /** Brings the totals up to date. */
  #count(): void {
    this.#share(
      this.#isForgotten
        ? undefined
        : {
            waitingLines: this.waitingLines,
            pendingLines: this.pendingLines,
            pendingBytes: this.#pendingBytes,
            diskBytes: bytesOnDisk(this.#bytes),
          },
    );
  }

  get #pendingBytes(): number {
    if (this.pendingLines === 0) return 0;
    const isWhole = isCompressed(this.#path) || this.#doneLines === 0;
    return isWhole ? this.#bytes : this.#bytes - this.#doneBytes;
  }
}
