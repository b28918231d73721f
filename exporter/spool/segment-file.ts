import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { constants, zstdCompress, zstdDecompress } from 'node:zlib';
import { makeFolderSync } from '../../src/host/make-folder.ts';
import { frameHeader } from './frame.ts';
import { type LineChunk, sumOfLines } from './line-queue.ts';
import { removeFile, type SpoolFs } from './spool-fs.ts';

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/*
 * The name of a segment's file says what is in it, so that a folder can be read without its owner:
 * `x.lines.open` is appended to, `x-1000.lines` holds 1000 lines for good, `x-1000.lines.zst` the same
 * compressed.
 */
const OPEN = '.lines.open';
const COMPRESSED = '.lines.zst';
const SEALED = /-(\d+)\.lines(\.zst)?$/;
/** A file that is being made, worth nothing before it gets its name. */
export const TEMPORARY = '.tmp';

export function isSegment(name: string): boolean {
  return name.endsWith(OPEN) || SEALED.test(name);
}

export function isCompressed(name: string): boolean {
  return name.endsWith(COMPRESSED);
}

/** Lines of a sealed segment; undefined for one that was left open. */
export function linesInName(name: string): number | undefined {
  const lines = SEALED.exec(name)?.[1];
  return lines === undefined ? undefined : Number(lines);
}

export function nameOfOpen(name: string): string {
  return name + OPEN;
}

export function nameOfSealed(open: string, lines: number): string {
  return `${open.slice(0, -OPEN.length)}-${lines}.lines`;
}

/** The bytes of a compressed segment are not what was written. */
export class DamagedFileError extends Error {}

/** The whole of a sealed segment. Throws `DamagedFileError`, or what the file system threw. */
export async function readSealed(fs: SpoolFs, path: string): Promise<Buffer> {
  const bytes = await fs.readFile(path);
  if (!isCompressed(path)) return bytes;
  try {
    return await decompress(bytes);
  } catch (cause) {
    throw new DamagedFileError(`${basename(path)} cannot be decompressed`, { cause });
  }
}

/** From `start` to `end` of an open segment, which were both appended. */
export async function readOpen(handle: FileHandle, start: number, end: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(end - start);
  let filled = 0;
  while (filled < bytes.length) {
    const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled, start + filled);
    if (bytesRead === 0) throw new Error('the open segment is shorter than what was written to it');
    filled += bytesRead;
  }
  return bytes;
}

/**
 * Writes a compressed copy of a sealed segment beside it. Lines repeat themselves: a tenth is left of them.
 * `since`: time of its first line, which becomes the time of the file.
 */
export async function writeCompressed(
  fs: SpoolFs,
  path: string,
  since: Date,
  sync: boolean,
): Promise<{ readonly path: string; readonly bytes: number }> {
  const target = path.replace(/\.lines$/, COMPRESSED);
  const bytes = await compress(await fs.readFile(path), {
    params: { [constants.ZSTD_c_compressionLevel]: 1 },
  });
  const temporary = target + TEMPORARY;
  try {
    const handle = await fs.open(temporary, 'w', 0o600);
    try {
      await handle.writeFile(bytes);
      if (sync) await handle.datasync();
    } finally {
      await handle.close();
    }
    await fs.utimes(temporary, since, since);
    await fs.rename(temporary, target);
  } catch (error) {
    // A disk that is full has no room for this either.
    await removeFile(fs, temporary).catch(() => {});
    throw error;
  }
  return { path: target, bytes: bytes.length };
}

/** At the end of the process: a segment of its own, written synchronously. */
export function saveSegmentSync(
  folder: string,
  chunks: readonly LineChunk[],
  sync: boolean,
): { readonly path: string; readonly bytes: number; readonly lines: number } {
  const id = randomBytes(6).toString('hex');
  const lines = sumOfLines(chunks);
  const path = join(folder, `exit-${process.pid}-${id}-${lines}.lines`);
  makeFolderSync(folder, 0o700);
  const bytes = Buffer.concat(chunks.flatMap((chunk) => [frameHeader(chunk), chunk.body]));
  writeFileSync(path, bytes, { mode: 0o600, flush: sync });
  return { path, bytes: bytes.length, lines };
}
