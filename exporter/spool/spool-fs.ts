import * as fs from 'node:fs/promises';

/** What the spool needs of a file system; a parameter, so that tests can fill or stall a disk. */
export type SpoolFs = Pick<
  typeof fs,
  | 'mkdir'
  | 'open'
  | 'readFile'
  | 'readdir'
  | 'rename'
  | 'rm'
  | 'rmdir'
  | 'stat'
  | 'unlink'
  | 'utimes'
  | 'writeFile'
>;

export const realFs: SpoolFs = fs;

const BLOCK_BYTES = 4096;

/** What a file of so many bytes occupies: file systems give whole blocks. */
export function bytesOnDisk(size: number): number {
  return Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES;
}

export function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : undefined;
}

/** True when it was there. Every other failure is thrown. */
export async function removeFile(fs: SpoolFs, path: string): Promise<boolean> {
  try {
    await fs.unlink(path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

/** Makes names of a folder survive a power cut; a file system that cannot is left as it is. */
export async function syncFolder(fs: SpoolFs, folder: string): Promise<void> {
  try {
    const handle = await fs.open(folder, 'r');
    await handle.sync().finally(async () => await handle.close());
  } catch {
    // Windows does not open folders.
  }
}
