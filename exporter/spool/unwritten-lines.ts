import { type Acceptance, type BatchBounds, countFitting, type LineChunk } from './line-queue.ts';

export type RefusalReason = 'spool_full' | 'memory_full';

/** Why `append` could keep lines nowhere. */
export class SpoolRefusal extends Error {
  readonly reason: RefusalReason;

  constructor(reason: RefusalReason) {
    super(reason);
    this.reason = reason;
  }
}

/** A chunk on its way to the disk. */
export interface Unwritten {
  readonly chunk: LineChunk;
  readonly since: number;
  /** Whether its `append` has resolved: it is held in memory only. */
  isVolatile: boolean;
  readonly resolve: (acceptance: Acceptance) => void;
  readonly reject: (error: SpoolRefusal) => void;
}

/** What waits for the disk in memory, in order; the first of it is being written. */
export class UnwrittenLines {
  readonly #waiting: Unwritten[] = [];
  #writing = 0;
  /** Taken for delivery instead. */
  readonly #taken = new Set<Unwritten>();
  #bytes = 0;
  #volatile = 0;

  /** Lines whose `append` has resolved without the disk. */
  get volatileLines(): number {
    return this.#volatile;
  }

  /** Volatile lines that can be taken for delivery. */
  get takeableLines(): number {
    if (this.#volatile === 0) return 0;
    return this.#waiting
      .slice(this.#writing)
      .reduce((sum, { chunk, isVolatile }) => sum + (isVolatile ? chunk.lines : 0), 0);
  }

  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  get oldestSince(): number | undefined {
    return this.#waiting[0]?.since;
  }

  add(one: Unwritten): void {
    this.#waiting.push(one);
    this.#bytes += one.chunk.body.length;
    if (one.isVolatile) this.#volatile += one.chunk.lines;
  }

  /** The disk takes nothing: everything is held in memory only from here on. */
  makeVolatile(): void {
    for (const one of this.#waiting) {
      if (one.isVolatile) continue;
      one.isVolatile = true;
      this.#volatile += one.chunk.lines;
      one.resolve('volatile');
    }
  }

  /** The next group to be written, until `written`, `refused` or `failed`. */
  beginWrite(maxBytes: number): readonly Unwritten[] {
    const chunks = this.#waiting.map(({ chunk }) => chunk);
    this.#writing = countFitting(chunks, { maxLines: Infinity, maxBytes, minChunks: 1 });
    return this.#waiting.slice(0, this.#writing);
  }

  failed(): void {
    this.#writing = 0;
  }

  /** The group is on the disk, or was refused: it waits no more. */
  endWrite(): readonly Unwritten[] {
    const group = this.#waiting.splice(0, this.#writing);
    this.#writing = 0;
    for (const one of group) this.#forget(one);
    return group;
  }

  /** For delivery from memory: what is not being written. */
  take(bounds: BatchBounds): readonly Unwritten[] {
    const free = this.#waiting.slice(this.#writing);
    const chunks = free.map(({ chunk }) => chunk);
    const taken = this.#waiting.splice(this.#writing, countFitting(chunks, bounds));
    for (const one of taken) this.#taken.add(one);
    return taken;
  }

  /** Delivered. */
  done(taken: readonly Unwritten[]): void {
    for (const one of taken) if (this.#taken.delete(one)) this.#forget(one);
  }

  /** Not delivered: they wait again, before the others. */
  release(taken: readonly Unwritten[]): void {
    const back = taken.filter((one) => this.#taken.delete(one));
    this.#waiting.splice(this.#writing, 0, ...back);
  }

  /** What is neither being written nor delivered is given away for good. */
  drain(): readonly Unwritten[] {
    const given = this.#waiting.splice(this.#writing);
    for (const one of given) this.#forget(one);
    return given;
  }

  /** Being written or delivered. */
  get underWay(): readonly LineChunk[] {
    return [...this.#waiting.slice(0, this.#writing), ...this.#taken].map(({ chunk }) => chunk);
  }

  #forget({ chunk, isVolatile }: Unwritten): void {
    this.#bytes -= chunk.body.length;
    if (isVolatile) this.#volatile -= chunk.lines;
  }
}
