import { join } from 'node:path';
import { disown, type AbandonedFolders } from './owner.ts';
import { isSegment, TEMPORARY } from './segment-name.ts';
import { Segment, type SegmentMemory } from './segment.ts';
import { codeOf, removeFile, type SpoolFs } from './spool-fs.ts';

/**
 * Moves the segments of dead processes into `own`. Each move is one rename, so of several processes that
 * try only one gets a segment, and a process that dies meanwhile leaves nothing that the next cannot find.
 */
export async function adoptSegments(
  fs: SpoolFs,
  parent: string,
  own: string,
  abandoned: AbandonedFolders,
  memory: SegmentMemory,
): Promise<Segment[]> {
  const adopted: Segment[] = [];
  for (const entry of await fs.readdir(parent, { withFileTypes: true })) {
    const folder = join(parent, entry.name);
    // A leading dot: a folder that is being made.
    if (!entry.isDirectory() || entry.name.startsWith('.') || folder === own) continue;
    if (!(await abandoned.includes(folder))) continue;
    await disown(fs, folder);
    for (const name of (await fs.readdir(folder)).toSorted()) {
      if (name.endsWith(TEMPORARY)) await removeFile(fs, join(folder, name));
      if (!isSegment(name)) continue;
      const segment = await adopt(fs, join(folder, name), join(own, name), memory);
      if (segment !== undefined) adopted.push(segment);
    }
    await fs.rmdir(folder).catch(() => {
      // Another process is emptying it too.
    });
  }
  return adopted;
}

async function adopt(
  fs: SpoolFs,
  from: string,
  to: string,
  memory: SegmentMemory,
): Promise<Segment | undefined> {
  try {
    await fs.rename(from, to);
    return await Segment.found(fs, to, memory);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
