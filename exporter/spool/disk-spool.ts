import { rmSync } from 'node:fs';
import {
  type Acceptance,
  type LineBatch,
  type LineChunk,
  type LineQueue,
  sumOfLines,
} from './line-queue.ts';
import { Loop } from './loop.ts';
import { SegmentStore, SpoolFullError, type SegmentStoreOptions } from './segment-store.ts';
import { SpoolRefusal, type Unwritten, UnwrittenLines } from './unwritten-lines.ts';
import { Upkeep } from './upkeep.ts';

/** Appends are grouped: this much at once. */
const MAX_GROUP_BYTES = 500_000;
/** A disk that takes no appends is asked again so often. */
const RETRY_MS = 1000;
/** A write that takes longer counts as failed until it ends. */
const STALL_MS = 5000;

export interface DiskSpoolOptions extends SegmentStoreOptions {
  /** Bound of what waits for the disk. */
  readonly maxMemoryBytes: number;
  /** The disk takes nothing, or (undefined) does again. */
  readonly onDiskState: (error: Error | undefined) => void;
  /** Volatile lines reached the disk, or the server. */
  readonly onAccepted: (lines: number) => void;
  /** There may be something to take. */
  readonly onWaiting: () => void;
  /** @default 5000 */
  readonly stallMs?: number;
}

/**
 * Queue on disk. Appends are grouped and asynchronous, so a slow disk delays acceptance and nothing else;
 * while it takes nothing at all, lines wait in bounded memory, are delivered from there, and are written once
 * the disk is back.
 */
export class DiskSpool implements LineQueue {
  readonly #options: DiskSpoolOptions;
  readonly #store: SegmentStore;
  readonly #upkeep: Upkeep;
  readonly #retries: Loop;
  readonly #unwritten = new UnwrittenLines();
  #writing: Promise<void> | undefined;
  #isDiskDown = false;
  /** Copies of lines under way, made when the process seemed to end. */
  readonly #copies: string[] = [];

  constructor(options: DiskSpoolOptions) {
    // A disk that takes no appends is reported by them; this may be less than that.
    const onUpkeepError = (error: Error): void => {
      if (!this.#isDiskDown) options.onUpkeepError(error);
    };
    const onAdopted = (lines: number): void => {
      options.onAdopted(lines);
      options.onWaiting();
    };
    this.#options = { ...options, onUpkeepError, onAdopted };
    this.#store = new SegmentStore(this.#options);
    this.#upkeep = new Upkeep(this.#store, this.#options);
    this.#retries = new Loop(RETRY_MS, async () => await this.#retry(), onUpkeepError);
  }

  get waitingLines(): number {
    return this.#store.totals.waitingLines + this.#unwritten.takeableLines;
  }

  get pendingLines(): number {
    return this.#store.totals.pendingLines + this.volatileLines;
  }

  get pendingBytes(): number {
    return this.#store.totals.pendingBytes;
  }

  get volatileLines(): number {
    return this.#unwritten.volatileLines;
  }

  /** Whether lines wait for the disk, accepted or not. */
  get isWriting(): boolean {
    return !this.#unwritten.isEmpty;
  }

  get oldestSince(): number | undefined {
    const onDisk = this.#store.segments.oldestSince ?? Infinity;
    const oldest = Math.min(onDisk, this.#unwritten.oldestSince ?? Infinity);
    return oldest === Infinity ? undefined : oldest;
  }

  /** Rejects with `SpoolRefusal` only. */
  append(chunk: LineChunk): Promise<Acceptance> {
    if (this.#unwritten.bytes + chunk.body.length > this.#options.maxMemoryBytes) {
      return Promise.reject(new SpoolRefusal('memory_full'));
    }
    return new Promise((resolve, reject) => {
      const isVolatile = this.#isDiskDown;
      this.#unwritten.add({ chunk, since: performance.now(), isVolatile, resolve, reject });
      // The disk is asked again once a second, not by every chunk.
      if (isVolatile) resolve('volatile');
      else void this.#write();
    });
  }

  async take(maxLines: number, maxBytes: number): Promise<LineBatch | undefined> {
    const bounds = { maxLines, maxBytes, minChunks: 1 } as const;
    const taken = await this.#store.take(bounds);
    if (taken.length > 0) {
      const chunks = taken.flatMap((part) => part.chunks);
      const { segments } = this.#store;
      return {
        chunks,
        lines: sumOfLines(chunks),
        done: () => void segments.done(taken).catch(this.#options.onUpkeepError),
        release: () => segments.release(taken),
      };
    }
    if (!this.#isDiskDown) return undefined;
    const group = this.#unwritten.take(bounds);
    if (group.length === 0) return undefined;
    const chunks = group.map(({ chunk }) => chunk);
    const lines = sumOfLines(chunks);
    return {
      chunks,
      lines,
      done: () => {
        this.#unwritten.done(group);
        this.#options.onAccepted(lines);
      },
      release: () => this.#unwritten.release(group),
    };
  }

  async close(): Promise<void> {
    await this.#retries.stop();
    await this.#write();
    await this.#upkeep.stop();
    await this.#store.close().catch(this.#options.onUpkeepError);
  }

  /**
   * The process may end: what has not reached the disk is written now. Throws when it cannot be. `gathered`
   * is accepted, like what waits; what is being written or delivered is written once more, and comes twice
   * should the process end: its lines overwrite themselves.
   */
  saveSync(gathered: readonly LineChunk[]): void {
    const { underWay } = this.#unwritten;
    if (underWay.length > 0) {
      const { path } = this.#store.copySync(underWay);
      this.#removeCopies();
      this.#copies.push(path);
    }
    const waiting = this.#unwritten.drain();
    try {
      this.#store.saveSync([...waiting.map(({ chunk }) => chunk), ...gathered]);
    } catch (error) {
      for (const one of waiting) this.#unwritten.add(one);
      throw error;
    }
    for (const one of waiting) this.#accepted(one);
  }

  /** The end of the process: the folder is left to others. */
  releaseSync(): void {
    this.#store.releaseSync();
  }

  async #write(): Promise<void> {
    if (this.#unwritten.isEmpty) return;
    this.#writing ??= this.#writeAll();
    await this.#writing;
  }

  async #writeAll(): Promise<void> {
    let maxBytes = MAX_GROUP_BYTES;
    try {
      while (!this.#unwritten.isEmpty) {
        const group = this.#unwritten.beginWrite(maxBytes);
        let onDiskAlone: readonly LineChunk[];
        try {
          onDiskAlone = await this.#watched(this.#store.append(group.map(({ chunk }) => chunk)));
        } catch (error) {
          if (!(error instanceof SpoolFullError)) {
            this.#unwritten.failed();
            this.#diskFailed(error);
            return;
          }
          if (group.length > 1) {
            // A part of it may still find room.
            this.#unwritten.failed();
            maxBytes = 1;
          } else this.#unwritten.endWrite().forEach(this.#refuse);
          continue;
        }
        for (const one of this.#unwritten.endWrite()) this.#accepted(one);
        for (const { recycle } of onDiskAlone) recycle?.();
        if (this.#isDiskDown) {
          this.#isDiskDown = false;
          this.#options.onDiskState(undefined);
        }
      }
    } finally {
      // In the same turn as the last look at what is unwritten: nothing can slip in between.
      this.#writing = undefined;
    }
  }

  /** A write that hangs makes everything behind it volatile; it may end after all. */
  async #watched<T>(write: Promise<T>): Promise<T> {
    const { stallMs = STALL_MS } = this.#options;
    const stall = setTimeout(
      () => this.#diskFailed(new Error(`a write takes longer than ${stallMs} ms`)),
      stallMs,
    ).unref();
    return await write.finally(() => clearTimeout(stall));
  }

  readonly #refuse = ({ chunk, isVolatile, reject }: Unwritten): void => {
    if (isVolatile) this.#options.onDropped('spool_full', chunk.lines);
    else reject(new SpoolRefusal('spool_full'));
  };

  #accepted({ chunk, isVolatile, resolve }: Unwritten): void {
    if (isVolatile) this.#options.onAccepted(chunk.lines);
    else resolve('durable');
  }

  #diskFailed(error: unknown): void {
    this.#isDiskDown = true;
    this.#unwritten.makeVolatile();
    this.#options.onDiskState(error instanceof Error ? error : new Error(String(error)));
    this.#options.onWaiting();
  }

  async #retry(): Promise<void> {
    if (this.#isDiskDown) await this.#write();
    // Nothing is under way: what the copies hold is on the disk or with the server.
    if (this.#unwritten.underWay.length > 0) return;
    this.#removeCopies();
  }

  #removeCopies(): void {
    for (const path of this.#copies.splice(0)) rmSync(path, { force: true });
  }
}
