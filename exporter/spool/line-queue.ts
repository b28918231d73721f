/** Lines of the line protocol, each with its line break, as one piece of bytes. */
export interface LineChunk {
  readonly body: Buffer;
  readonly lines: number;
  /** Whether a string field holds a line break: then not every line break ends a line. */
  readonly multiline: boolean;
}

/** A chunk on its way to the server. */
export interface LineBatch extends LineChunk {
  /** Every line was stored, or dropped and counted: the queue forgets them. */
  done(): void;
  /** They were not: the queue keeps them, as the next to be taken. */
  release(): void;
}

/** Accepted lines that wait for delivery, oldest first. */
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
  /** Resolves when the lines are accepted; rejects when they cannot be kept. */
  append(chunk: LineChunk): Promise<void>;
  /** The next lines, whole chunks, about `maxLines` and `maxBytes` at the most; undefined when none wait. */
  take(maxLines: number, maxBytes: number): Promise<LineBatch | undefined>;
  close(): Promise<void>;
}

/** How many of the first chunks make one batch: as many as the bounds allow, one at least. */
export function countFitting(
  chunks: readonly LineChunk[],
  maxLines: number,
  maxBytes: number,
): number {
  let lines = 0;
  let bytes = 0;
  const end = chunks.findIndex((chunk, i) => {
    lines += chunk.lines;
    bytes += chunk.body.length;
    return i > 0 && (lines > maxLines || bytes > maxBytes);
  });
  return end === -1 ? chunks.length : end;
}

/** One chunk out of several, in their order. */
export function joinChunks(chunks: readonly LineChunk[]): LineChunk {
  const [first] = chunks;
  if (first !== undefined && chunks.length === 1) return first;
  const bodies = chunks.map(({ body }) => body);
  return {
    body: spanOf(bodies) ?? Buffer.concat(bodies),
    lines: chunks.reduce((sum, { lines }) => sum + lines, 0),
    multiline: chunks.some(({ multiline }) => multiline),
  };
}

/** Pieces that lie one behind the other in memory are one already. */
function spanOf(bodies: readonly Buffer[]): Buffer | undefined {
  const [first] = bodies;
  if (first === undefined) return undefined;
  let length = 0;
  for (const { buffer, byteOffset, byteLength } of bodies) {
    if (buffer !== first.buffer || byteOffset !== first.byteOffset + length) return undefined;
    length += byteLength;
  }
  return Buffer.from(first.buffer, first.byteOffset, length);
}
