import { mkdirSync, type Stats, statSync } from 'node:fs';
import * as promises from 'node:fs/promises';
import { dirname } from 'node:path';

interface MakeFolderFs {
  mkdir(path: string, options: { mode?: number }): Promise<unknown>;
  stat(path: string): Promise<Stats>;
}

/*
 * Does not use `mkdir` with `recursive`: if a folder exists but refuses entries with ENOENT, as
 * /proc and some mounts do, Node loops forever between the folder and its child, and a thread in
 * that loop cannot be terminated.
 */

/**
 * Creates a folder and its parents. `mode` applies to new folders; the default is 0o777 minus the
 * umask.
 */
export async function makeFolder(
  path: string,
  mode?: number,
  fs: MakeFolderFs = promises,
): Promise<void> {
  const options = mode === undefined ? {} : { mode };
  const make = async (): Promise<unknown> => await fs.mkdir(path, options);
  const above = dirname(path);
  try {
    await make().catch(async (error: unknown) => {
      if (!isMissing(error) || above === path) throw error;
      await makeFolder(above, mode, fs);
      await make();
    });
  } catch (error) {
    const stats = await fs.stat(path).catch(() => undefined);
    if (stats?.isDirectory() !== true) throw error;
  }
}

/** `makeFolder` for worker threads and for the end of the process. */
export function makeFolderSync(path: string, mode?: number): void {
  const make = (): unknown => mkdirSync(path, { mode });
  const above = dirname(path);
  try {
    try {
      make();
    } catch (error) {
      if (!isMissing(error) || above === path) throw error;
      makeFolderSync(above, mode);
      make();
    }
  } catch (error) {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) throw error;
  }
}

function isMissing(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === 'ENOENT';
}
