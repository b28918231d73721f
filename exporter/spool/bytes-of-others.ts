import { join } from 'node:path';
import type { SpoolFs } from './spool-fs.ts';

/** What the other owners of a destination hold on disk: the bound is over all of them. */
export async function bytesOfOthers(fs: SpoolFs, parent: string, own: string): Promise<number> {
  let bytes = 0;
  for (const entry of await fs.readdir(parent, { withFileTypes: true })) {
    const folder = join(parent, entry.name);
    if (!entry.isDirectory() || folder === own) continue;
    for (const name of await fs.readdir(folder).catch(() => [])) {
      // It may be delivered and gone by now.
      bytes += await fs.stat(join(folder, name)).then(
        ({ size }) => size,
        () => 0,
      );
    }
  }
  return bytes;
}
