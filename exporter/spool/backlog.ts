import { join } from 'node:path';
import { makeFolder } from '../../src/host/make-folder.ts';
import { countLines } from './frame.ts';
import { AbandonedFolders } from './owner.ts';
import { isSegment, linesInName } from './segment-file.ts';
import { codeOf, realFs, type SpoolFs } from './spool-fs.ts';

const DESTINATION_FILE = 'destination.json';

/** What waits in a spool for one destination. */
export interface SpoolBacklog {
  /** Folder of the destination. */
  readonly folder: string;
  /** Where the lines were to go, without a secret; empty when the folder does not say. */
  readonly destination: Readonly<Record<string, string>>;
  readonly lines: number;
  readonly bytes: number;
  /** Time of the oldest file, RFC 3339. */
  readonly oldest?: string;
  /** Whether a process is there that sends them. */
  readonly isOwned: boolean;
}

/** Says in the folder of a destination which one it is. */
export async function describeDestination(
  fs: SpoolFs,
  folder: string,
  destination: Readonly<Record<string, string>>,
): Promise<void> {
  const text = JSON.stringify(destination);
  await fs
    .writeFile(join(folder, DESTINATION_FILE), text, { flag: 'wx', mode: 0o600 })
    .catch((error: unknown) => {
      if (codeOf(error) !== 'EEXIST') throw error;
    });
}

/** When the oldest file of a destination was begun, ms since 1970; Infinity where none is left. */
export async function oldestSegment(folder: string, fs: SpoolFs = realFs): Promise<number> {
  let oldest = Infinity;
  for (const owner of await foldersIn(fs, folder)) {
    for (const name of (await fs.readdir(owner).catch(() => [])).filter(isSegment)) {
      const stats = await fs.stat(join(owner, name)).catch(() => undefined);
      if (stats === undefined) continue;
      oldest = Math.min(oldest, stats.mtimeMs, stats.birthtimeMs || Infinity);
    }
  }
  return oldest;
}

/** The backlog of every destination below `directory`, those that nobody sends any more included. */
export async function spoolBacklogs(
  directory: string,
  fs: SpoolFs = realFs,
): Promise<readonly SpoolBacklog[]> {
  const backlogs: SpoolBacklog[] = [];
  for (const folder of await foldersIn(fs, directory)) {
    let [lines, bytes, oldest, isOwned] = [0, 0, Infinity, false];
    const abandoned = new AbandonedFolders(fs);
    for (const owner of await foldersIn(fs, folder)) {
      isOwned ||= !(await abandoned.includes(owner));
      for (const name of (await fs.readdir(owner).catch(() => [])).filter(isSegment)) {
        const path = join(owner, name);
        // It may be delivered by now.
        const stats = await fs.stat(path).catch(() => undefined);
        if (stats === undefined) continue;
        bytes += stats.size;
        oldest = Math.min(oldest, stats.mtimeMs);
        lines += linesInName(name) ?? countLines(await fs.readFile(path));
      }
    }
    if (lines === 0) continue;
    const destination = await destinationOf(fs, folder);
    const since = new Date(oldest).toISOString();
    backlogs.push({ folder, destination, lines, bytes, oldest: since, isOwned });
  }
  return backlogs;
}

/**
 * Moves what nobody sends any more from the folder of one destination to that of another, whose next process
 * adopts it. Folders of living processes stay. Resolves with the number of files.
 */
export async function moveBacklog(from: string, to: string, fs: SpoolFs = realFs): Promise<number> {
  const abandoned = new AbandonedFolders(fs);
  await makeFolder(to, 0o700, fs);
  let moved = 0;
  for (const owner of await foldersIn(fs, from)) {
    if (!(await abandoned.includes(owner))) continue;
    const target = join(to, owner.slice(from.length + 1));
    const files = (await fs.readdir(owner)).filter(isSegment).length;
    // One step: a process of the new destination finds all of it, or nothing yet.
    await fs.rename(owner, target);
    moved += files;
  }
  return moved;
}

async function foldersIn(fs: SpoolFs, path: string): Promise<readonly string[]> {
  const entries = await fs.readdir(path, { withFileTypes: true }).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  });
  return entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map(({ name }) => join(path, name));
}

async function destinationOf(fs: SpoolFs, folder: string): Promise<SpoolBacklog['destination']> {
  try {
    const text = await fs.readFile(join(folder, DESTINATION_FILE), 'utf8');
    return JSON.parse(text) as SpoolBacklog['destination'];
  } catch {
    // Made by an older release.
    return {};
  }
}
