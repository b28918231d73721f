import { crc32 } from 'node:zlib';
import type { BatchBounds, LineChunk } from './line-queue.ts';

/*
 * A segment is a file of line protocol that any server and `curl --data-binary` take as it is: what
 * belongs to the spool stands in comment lines. Each chunk follows one such line of fixed width with its
 * number of lines and bytes and the CRC-32 of these numbers and its bytes:
 *
 *     #tm2 00000050 00031415 8d3c2f10 -
 *
 * `#tm1` of version 0.1 has the CRC-32 of the bytes alone.
 */
const HEADER_BYTES = 34;
const HEADER = /^#tm([12]) (\d{8}) (\d{8}) ([0-9a-f]{8}) ([-m])\n$/;

function checksum(numbers: string, flag: string, body: Buffer): number {
  return crc32(body, crc32(`${numbers} ${flag}`));
}

/** Where the next header begins, from `at` on; -1 when there is none. */
function nextHeader(bytes: Buffer, at: number): number {
  for (let from = at; ; from++) {
    from = bytes.indexOf('\n#tm', from);
    if (from === -1) return -1;
    const version = bytes[from + 4];
    if ((version === 0x31 || version === 0x32) && bytes[from + 5] === 0x20) return from + 1;
  }
}

/** Bytes of a chunk in a segment. */
export function frameBytes({ body }: LineChunk): number {
  return HEADER_BYTES + body.length;
}

export function frameHeader({ body, lines, multiline }: LineChunk): Buffer {
  const numbers = `${String(lines).padStart(8, '0')} ${String(body.length).padStart(8, '0')}`;
  const flag = multiline ? 'm' : '-';
  const sum = checksum(numbers, flag, body).toString(16).padStart(8, '0');
  return Buffer.from(`#tm2 ${numbers} ${sum} ${flag}\n`);
}

/** One step through a segment. */
type Frame =
  | { readonly kind: 'chunk'; readonly chunk: LineChunk; readonly end: number }
  /** Bytes that do not match their checksum; `lines` by their breaks, so strings with breaks count as several. */
  | { readonly kind: 'corrupt'; readonly lines: number; readonly end: number }
  /** Starts here and ends beyond these bytes. */
  | { readonly kind: 'partial' };

/** The frame at `at`; undefined at the end. */
function readFrame(bytes: Buffer, at: number): Frame | undefined {
  if (at >= bytes.length) return undefined;
  if (at + HEADER_BYTES > bytes.length) return { kind: 'partial' };
  const header = HEADER.exec(bytes.toString('latin1', at, at + HEADER_BYTES));
  if (header === null) return corrupt(bytes, at);
  const [, version, lines, length, sum, flag = ''] = header;
  const start = at + HEADER_BYTES;
  const end = start + Number(length);
  if (end > bytes.length) {
    // A broken length would hide every frame behind it.
    return nextHeader(bytes, start) === -1 ? { kind: 'partial' } : corrupt(bytes, at);
  }
  const body = bytes.subarray(start, end);
  const actual = version === '1' ? crc32(body) : checksum(`${lines} ${length}`, flag, body);
  if (actual !== Number.parseInt(sum ?? '', 16)) return corrupt(bytes, at);
  const chunk = { body, lines: Number(lines), multiline: flag === 'm' };
  return { kind: 'chunk', chunk, end };
}

/** Continues at the next header. The number of lines in a damaged frame's header proves nothing: breaks do. */
function corrupt(bytes: Buffer, at: number): Frame {
  const next = nextHeader(bytes, at);
  const end = next === -1 ? bytes.length : next;
  // The header is a line too, unless its own break is what was damaged.
  const start = bytes.indexOf(10, at) + 1;
  let breaks = 0;
  for (let i = bytes.indexOf(10, start); i !== -1 && i < end; i = bytes.indexOf(10, i + 1))
    breaks++;
  return { kind: 'corrupt', lines: Math.max(1, breaks), end };
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
