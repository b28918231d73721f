import { crc32 } from 'node:zlib';
import type { BatchBounds, LineChunk } from './line-queue.ts';

/*
 * A segment is a file of line protocol that any server and `curl --data-binary` take as it is: what
 * belongs to the spool stands in comment lines. Each chunk follows one such line of fixed width with its
 * number of lines and bytes and the CRC-32 of its bytes:
 *
 *     #tm1 00000050 00031415 8d3c2f10 -
 */
const HEADER_BYTES = 34;
const HEADER = /^#tm1 (\d{8}) (\d{8}) ([0-9a-f]{8}) ([-m])\n$/;
const MARK = Buffer.from('\n#tm1 ');

/** Bytes of a chunk in a segment. */
export function frameBytes({ body }: LineChunk): number {
  return HEADER_BYTES + body.length;
}

export function frameHeader({ body, lines, multiline }: LineChunk): Buffer {
  const sum = crc32(body).toString(16).padStart(8, '0');
  const numbers = `${String(lines).padStart(8, '0')} ${String(body.length).padStart(8, '0')}`;
  return Buffer.from(`#tm1 ${numbers} ${sum} ${multiline ? 'm' : '-'}\n`);
}

/** One step through a segment. */
type Frame =
  | { readonly kind: 'chunk'; readonly chunk: LineChunk; readonly end: number }
  /** Bytes that do not match their checksum; `lines` as far as they are known. */
  | { readonly kind: 'corrupt'; readonly lines: number; readonly end: number }
  /** Starts here and ends beyond these bytes. */
  | { readonly kind: 'partial' };

/** The frame at `at`; undefined at the end. */
function readFrame(bytes: Buffer, at: number): Frame | undefined {
  if (at >= bytes.length) return undefined;
  if (at + HEADER_BYTES > bytes.length) return { kind: 'partial' };
  const header = HEADER.exec(bytes.toString('latin1', at, at + HEADER_BYTES));
  if (header === null) return corrupt(bytes, at, 0);
  const [, lines, length, sum, flag] = header;
  const start = at + HEADER_BYTES;
  const end = start + Number(length);
  if (end > bytes.length) {
    // A broken length would hide every frame behind it.
    return bytes.indexOf(MARK, start) === -1
      ? { kind: 'partial' }
      : corrupt(bytes, at, Number(lines));
  }
  const body = bytes.subarray(start, end);
  if (crc32(body) !== Number.parseInt(sum ?? '', 16)) return corrupt(bytes, at, Number(lines));
  const chunk = { body, lines: Number(lines), multiline: flag === 'm' };
  return { kind: 'chunk', chunk, end };
}

/** Goes on at the next header. */
function corrupt(bytes: Buffer, at: number, lines: number): Frame {
  const mark = bytes.indexOf(MARK, at + 1);
  const end = mark === -1 ? bytes.length : mark + 1;
  if (lines > 0) return { kind: 'corrupt', lines, end };
  let breaks = 0;
  for (let i = bytes.indexOf(10, at); i !== -1 && i < end; i = bytes.indexOf(10, i + 1)) breaks++;
  return { kind: 'corrupt', lines: breaks, end };
}

export interface FramesRead {
  readonly chunks: readonly LineChunk[];
  /** Lines that did not match their checksum. */
  readonly damagedLines: number;
  /** Where the first frame begins that was not read. */
  readonly end: number;
  /** No whole frame is left behind these. */
  readonly isWhole: boolean;
}

/** The first frames within the bounds. */
export function readFrames(
  bytes: Buffer,
  { maxLines, maxBytes, minChunks }: BatchBounds,
): FramesRead {
  const chunks: LineChunk[] = [];
  let damagedLines = 0;
  let lines = 0;
  let end = 0;
  let frame = readFrame(bytes, end);
  while (frame !== undefined && frame.kind !== 'partial') {
    if (frame.kind === 'corrupt') damagedLines += frame.lines;
    else {
      const { chunk } = frame;
      const isFull = lines + chunk.lines > maxLines || frame.end > maxBytes;
      if (chunks.length >= minChunks && isFull)
        return { chunks, damagedLines, end, isWhole: false };
      lines += chunk.lines;
      chunks.push(chunk);
    }
    end = frame.end;
    frame = readFrame(bytes, end);
  }
  return { chunks, damagedLines, end, isWhole: true };
}

/** Lines of a whole segment, without a torn end. */
export function countLines(bytes: Buffer): number {
  let lines = 0;
  let frame = readFrame(bytes, 0);
  while (frame !== undefined && frame.kind !== 'partial') {
    lines += frame.kind === 'chunk' ? frame.chunk.lines : frame.lines;
    frame = readFrame(bytes, frame.end);
  }
  return lines;
}
