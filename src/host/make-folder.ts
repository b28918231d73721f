import { mkdirSync, type Stats, statSync } from 'node:fs';
import * as promises from 'node:fs/promises';
import { dirname } from 'node:path';

interface MakeFolderFs {
  mkdir(path: string, options: { mode?: number }): Promise<unknown>;
  stat(path: string): Promise<Stats>;
}

/*
 * Not `mkdir` with `recursive`: where a folder exists but refuses entries with ENOENT, as /proc and some
 * mounts do, Node goes round between it and its child for ever, and a thread in that loop cannot be ended.
 */

/** Makes a folder and those above it. `mode` of the new ones: 0o777 less the umask unless told. */
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

/** `makeFolder` for a thread of its own, and for the end of the process. */
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
