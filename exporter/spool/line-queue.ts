/** Lines of the line protocol, each with its line break, as one piece of bytes. */
export interface LineChunk {
  readonly body: Buffer;
  readonly lines: number;
  /** Whether a string field holds a line break: then not every line break ends a line. */
  readonly multiline: boolean;
  /**
   * To be called once, when the lines are done and nobody will look at `body` again: others are written
   * into its memory. Need not be called.
   */
  readonly recycle?: () => void;
}

/** How much to take at once. */
export interface BatchBounds {
  readonly maxLines: number;
  readonly maxBytes: number;
  /** Chunks that are taken although they go beyond: 1, so that something is; 0 to fill up a batch. */
  readonly minChunks: 0 | 1;
}

/** Chunks on their way to the server. */
export interface LineBatch {
  readonly chunks: readonly LineChunk[];
  readonly lines: number;
  /** Every line was stored, or dropped and counted: the queue forgets them. */
  done(): void;
  /** They were not: the queue keeps them, as the next to be taken. */
  release(): void;
}

/** `volatile`: they are held in memory only, because the disk takes none. */
export type Acceptance = 'durable' | 'volatile';

/** Lines that wait for delivery, oldest first. */
export interface LineQueue {
  /** Lines that nobody has taken. */
  readonly waitingLines: number;
  /** Lines not done yet, taken ones included. */
  readonly pendingLines: number;
  readonly pendingBytes: number;
  /** Pending lines that a crash of the process would lose. */
  readonly volatileLines: number;
  /** `performance.now()` of the oldest line that is not done. */
  readonly oldestSince: number | undefined;
  /** Resolves when the lines are kept; rejects when they cannot be. */
  append(chunk: LineChunk): Promise<Acceptance>;
  /** The next lines, whole chunks, about `maxLines` and `maxBytes` at the most; undefined when none wait. */
  take(maxLines: number, maxBytes: number): Promise<LineBatch | undefined>;
  close(): Promise<void>;
}

export function sumOfLines(chunks: readonly LineChunk[]): number {
  return chunks.reduce((sum, { lines }) => sum + lines, 0);
}

/** How many of the first chunks are within the bounds. */
export function countFitting(
  chunks: readonly LineChunk[],
  { maxLines, maxBytes, minChunks }: BatchBounds,
): number {
  let lines = 0;
  let bytes = 0;
  const end = chunks.findIndex((chunk, i) => {
    lines += chunk.lines;
    bytes += chunk.body.length;
    return i >= minChunks && (lines > maxLines || bytes > maxBytes);
  });
  return end === -1 ? chunks.length : end;
}
