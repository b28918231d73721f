import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { disown, type AbandonedFolders } from './owner.ts';
import { isSegment, TEMPORARY } from './segment-file.ts';
import { Segment, type SegmentShared } from './segment.ts';
import { codeOf, removeFile } from './spool-fs.ts';

/** Files between two pauses for other work of the process. */
const STEP = 64;

/**
 * Moves the segments of dead processes into `own`, one after the other. Each move is one rename, so of several
 * processes that try only one gets a segment, and a process that dies meanwhile leaves nothing that the next
 * cannot find. A segment that cannot be read is reported, and tried again with the next adoption.
 */
export async function* adoptSegments(
  shared: SegmentShared,
  { parent, own }: { readonly parent: string; readonly own: string },
  abandoned: AbandonedFolders,
  onError: (error: Error) => void,
): AsyncGenerator<Segment> {
  const { fs } = shared;
  let files = 0;
  for (const entry of await fs.readdir(parent, { withFileTypes: true })) {
    const folder = join(parent, entry.name);
    // A leading dot: a folder that is being made.
    if (!entry.isDirectory() || entry.name.startsWith('.') || folder === own) continue;
    if (!(await abandoned.includes(folder))) continue;
    try {
      await disown(fs, folder);
      for (const name of (await fs.readdir(folder)).toSorted()) {
        if (++files % STEP === 0) await turn();
        if (name.endsWith(TEMPORARY)) await removeFile(fs, join(folder, name));
        if (!isSegment(name)) continue;
        const adopted = await Segment.adopt(shared, join(folder, name), own).catch(onError);
        if (adopted !== undefined) yield adopted;
      }
      await fs.rmdir(folder).catch(() => {
        // Another process is emptying it too, or something in it could not be taken.
      });
    } catch (error) {
      // Another process has emptied it meanwhile.
      if (codeOf(error) !== 'ENOENT') onError(error as Error);
    }
  }
}
