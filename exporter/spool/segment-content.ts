import type { FileHandle } from 'node:fs/promises';
import { promisify } from 'node:util';
import { zstdDecompress } from 'node:zlib';
import { isCompressed } from './segment-name.ts';
import type { SpareBuffers } from './spare-buffers.ts';
import type { SpoolFs } from './spool-fs.ts';

const decompress = promisify(zstdDecompress);

/** What is read of a segment's file. A sealed one is read once, as a whole. */
export class SegmentContent {
  readonly #fs: SpoolFs;
  readonly #spares: SpareBuffers;
  #whole: Buffer | undefined;
  /** What `#whole` is a part of, and chunks that were cut from it. */
  #memory: Buffer | undefined;

  constructor(fs: SpoolFs, spares: SpareBuffers) {
    this.#fs = fs;
    this.#spares = spares;
  }

  async ofSealed(path: string, bytes: number): Promise<Buffer> {
    this.#whole ??= isCompressed(path)
      ? await decompress(await this.#fs.readFile(path))
      : await this.#load(path, bytes);
    return this.#whole;
  }

  /** From `start` to `end`, which were both appended. */
  async ofOpen(handle: FileHandle, start: number, end: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafe(end - start);
    if ((await fill(bytes, handle, start)) < bytes.length) {
      throw new Error('the open segment is shorter than what was written to it');
    }
    return bytes;
  }

  /** It is read to its end, or will not be; chunks of it may be under way. */
  forget(): void {
    this.#whole = undefined;
  }

  /** Nobody will look at a chunk of it any more. */
  recycle(): void {
    this.forget();
    if (this.#memory !== undefined) this.#spares.giveBack(this.#memory);
    this.#memory = undefined;
  }

  async #load(path: string, bytes: number): Promise<Buffer> {
    const handle = await this.#fs.open(path, 'r');
    try {
      this.#memory ??= this.#spares.take(bytes);
      return this.#memory.subarray(0, await fill(this.#memory.subarray(0, bytes), handle, 0));
    } finally {
      await handle.close();
    }
  }
}

/** How many bytes there were. */
async function fill(bytes: Buffer, handle: FileHandle, start: number): Promise<number> {
  let filled = 0;
  while (filled < bytes.length) {
    const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled, start + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled;
}
