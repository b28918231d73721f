import {
  type BatchBounds,
  countFitting,
  type LineBatch,
  type LineChunk,
  type LineQueue,
  sumOfLines,
} from './line-queue.ts';
import { SegmentStore, SpoolFullError, type SegmentStoreOptions } from './segment-store.ts';

/** Appends are grouped: this much at once. */
const MAX_GROUP_BYTES = 500_000;
const UPKEEP_MS = 1000;

export interface DiskSpoolOptions extends SegmentStoreOptions {
  /** Bound of what waits for the disk. */
  readonly maxMemoryBytes: number;
  /** The disk takes nothing, or (undefined) does again. */
  readonly onDiskState: (error: Error | undefined) => void;
  /** Something went wrong beside appending; it is tried again. */
  readonly onUpkeepError: (error: Error) => void;
  /** There may be something to take. */
  readonly onWaiting: () => void;
}

export type RefusalReason = 'spool_full' | 'memory_full';

/** Why `append` could keep lines nowhere. */
export class SpoolRefusal extends Error {
  readonly reason: RefusalReason;

  constructor(reason: RefusalReason) {
    super(reason);
    this.reason = reason;
  }
}

interface Unwritten {
  readonly chunk: LineChunk;
  readonly since: number;
  isAccepted: boolean;
  readonly accept: () => void;
  readonly refuse: (error: SpoolRefusal) => void;
}

/**
 * Queue on disk. Appends are grouped and asynchronous, so a slow disk delays acceptance and nothing else;
 * while it takes nothing at all, lines wait in bounded memory and are delivered from there.
 */
export class DiskSpool implements LineQueue {
  readonly #options: DiskSpoolOptions;
  readonly #store: SegmentStore;
  readonly #unwritten: Unwritten[] = [];
  #unwrittenLines = 0;
  #unwrittenBytes = 0;
  /** Lines taken from memory and not done. */
  #underWay = 0;
  #writing: Promise<void> | undefined;
  #isDiskDown = false;
  #isClosed = false;
  #upkeepTimer: NodeJS.Timeout | undefined;
  #upkeeping: Promise<void>;

  constructor(options: DiskSpoolOptions) {
    this.#options = options;
    this.#store = new SegmentStore(options);
    this.#upkeeping = this.#upkeep();
  }

  get waitingLines(): number {
    return this.#store.waitingLines + (this.#isDiskDown ? this.#unwrittenLines : 0);
  }

  get pendingLines(): number {
    return this.#store.pendingLines + this.volatileLines;
  }

  get pendingBytes(): number {
    return this.#store.pendingBytes + (this.#isDiskDown ? this.#unwrittenBytes : 0);
  }

  /** Lines that were accepted although the disk took none. */
  get volatileLines(): number {
    return this.#underWay + (this.#isDiskDown ? this.#unwrittenLines : 0);
  }

  /** Whether lines wait for the disk, accepted or not. */
  get isWriting(): boolean {
    return this.#unwritten.length > 0;
  }

  get oldestSince(): number | undefined {
    return this.#store.oldestSince ?? this.#unwritten[0]?.since;
  }

  /** Rejects with `SpoolRefusal` only. */
  append(chunk: LineChunk): Promise<void> {
    if (this.#unwrittenBytes + chunk.body.length > this.#options.maxMemoryBytes) {
      return Promise.reject(new SpoolRefusal('memory_full'));
    }
    return new Promise((accept, refuse) => {
      const isAccepted = this.#isDiskDown;
      this.#unwritten.push({ chunk, since: performance.now(), isAccepted, accept, refuse });
      this.#unwrittenLines += chunk.lines;
      this.#unwrittenBytes += chunk.body.length;
      // The disk is asked again once a second, not by every chunk.
      if (this.#isDiskDown) accept();
      else void this.#write();
    });
  }

  async take(maxLines: number, maxBytes: number): Promise<LineBatch | undefined> {
    const bounds: BatchBounds = { maxLines, maxBytes, minChunks: 1 };
    const taken = await this.#store.take(bounds);
    if (taken.length > 0) {
      const chunks = taken.flatMap((part) => part.chunks);
      return {
        chunks,
        lines: sumOfLines(chunks),
        done: () => void this.#store.done(taken).catch(this.#onUpkeepError),
        release: () => this.#store.release(taken),
      };
    }
    if (!this.#isDiskDown || this.#writing !== undefined) return undefined;
    const group = this.#nextUnwritten(bounds);
    if (group.length === 0) return undefined;
    this.#removeUnwritten(group.length);
    const chunks = group.map(({ chunk }) => chunk);
    const lines = sumOfLines(chunks);
    this.#underWay += lines;
    return {
      chunks,
      lines,
      done: () => (this.#underWay -= lines),
      release: () => {
        this.#underWay -= lines;
        this.#putBack(group);
      },
    };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#upkeepTimer);
    await this.#write();
    await this.#upkeeping;
    await this.#store.close().catch(this.#onUpkeepError);
  }

  /** The process may end: what has not reached the disk is written now. Throws when it cannot be. */
  saveSync(gathered: readonly LineChunk[]): void {
    // A group that is being written may come twice: its lines overwrite themselves.
    this.#store.saveSync([...this.#unwritten.map(({ chunk }) => chunk), ...gathered]);
  }

  /** The end of the process: the folder is left to others. */
  releaseSync(): void {
    this.#store.releaseSync();
  }

  async #write(): Promise<void> {
    if (this.#unwritten.length === 0) return;
    this.#writing ??= this.#writeAll();
    await this.#writing;
  }

  async #writeAll(): Promise<void> {
    let maxBytes = MAX_GROUP_BYTES;
    try {
      while (this.#unwritten.length > 0) {
        const group = this.#nextUnwritten({ maxLines: Infinity, maxBytes, minChunks: 1 });
        let onDiskAlone: readonly LineChunk[];
        try {
          onDiskAlone = await this.#store.append(group.map(({ chunk }) => chunk));
        } catch (error) {
          if (!(error instanceof SpoolFullError)) return this.#diskFailed(error);
          if (group.length > 1) {
            // A part of it may still find room.
            maxBytes = 1;
            continue;
          }
          this.#removeUnwritten(1);
          for (const one of group) this.#refuse(one);
          continue;
        }
        this.#removeUnwritten(group.length);
        for (const { accept } of group) accept();
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

  #refuse({ chunk, isAccepted, refuse }: Unwritten): void {
    if (isAccepted) this.#options.onDropped('spool_full', chunk.lines);
    else refuse(new SpoolRefusal('spool_full'));
  }

  #diskFailed(error: unknown): void {
    this.#isDiskDown = true;
    for (const one of this.#unwritten) {
      one.isAccepted = true;
      one.accept();
    }
    this.#options.onDiskState(error instanceof Error ? error : new Error(String(error)));
    this.#options.onWaiting();
  }

  #nextUnwritten(bounds: BatchBounds): Unwritten[] {
    const waiting = this.#unwritten.map(({ chunk }) => chunk);
    return this.#unwritten.slice(0, countFitting(waiting, bounds));
  }

  #removeUnwritten(count: number): void {
    for (const { chunk } of this.#unwritten.splice(0, count)) {
      this.#unwrittenLines -= chunk.lines;
      this.#unwrittenBytes -= chunk.body.length;
    }
  }

  #putBack(group: readonly Unwritten[]): void {
    // Behind a group that is being written: what is written is removed from the front.
    this.#unwritten.push(...group);
    for (const { chunk } of group) {
      this.#unwrittenLines += chunk.lines;
      this.#unwrittenBytes += chunk.body.length;
    }
  }

  async #upkeep(): Promise<void> {
    if (this.#isDiskDown) await this.#write();
    const waiting = this.waitingLines;
    await this.#store.upkeep().catch(this.#onUpkeepError);
    if (this.waitingLines > waiting) this.#options.onWaiting();
    if (this.#isClosed) return;
    this.#upkeepTimer = setTimeout(() => (this.#upkeeping = this.#upkeep()), UPKEEP_MS);
    this.#upkeepTimer.unref();
  }

  readonly #onUpkeepError = (error: unknown): void => {
    // A disk that takes no appends is told of by them; this may be less than that.
    if (!this.#isDiskDown) this.#options.onUpkeepError(error as Error);
  };
}
