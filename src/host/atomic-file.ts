import { randomUUID } from 'node:crypto';
import { open, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeFolder } from './make-folder.ts';

/**
 * A mounted file cannot be replaced by another one (EBUSY, EXDEV), nor one in a folder that this
 * process may not write.
 */
const IN_PLACE_ONLY: ReadonlySet<string> = new Set(['EBUSY', 'EXDEV', 'EACCES', 'EPERM', 'EROFS']);

/**
 * Replaces a file so that a reader, or a crash, sees the old or the new content and never a part.
 * Links are followed and the mode stays. Where the file can only be written in place, it is: readers
 * have to expect a part of it then.
 */
export async function replaceFile(path: string, content: string): Promise<void> {
  const target = await realPath(path);
  const existing = await stat(target).catch(() => undefined);
  const temporary = `${target}.${randomUUID()}.tmp`;
  try {
    await makeFolder(dirname(target), 0o700);
    const file = await open(temporary, 'wx', 0o600);
    try {
      if (existing) await file.chmod(existing.mode & 0o777);
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    const { code = '' } = error as NodeJS.ErrnoException;
    if (!existing || !IN_PLACE_ONLY.has(code)) throw error;
    await overwrite(target, content);
  }
}

/** Where a path leads; a file that does not exist yet is where it is named. */
export async function realPath(path: string): Promise<string> {
  return await realpath(path).catch(() => path);
}

async function overwrite(path: string, content: string): Promise<void> {
  const bytes = Buffer.from(content);
  const file = await open(path, 'r+');
  try {
    let written = 0;
    while (written < bytes.length) {
      written += (await file.write(bytes, written, bytes.length - written, written)).bytesWritten;
    }
    await file.truncate(bytes.length);
    await file.sync();
  } finally {
    await file.close();
  }
}
