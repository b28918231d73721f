import { randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync, rmdirSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { makeFolder } from '../../src/host/make-folder.ts';
import { codeOf, removeFile, type SpoolFs, syncFolder } from './spool-fs.ts';

const OWNER_FILE = 'owner.json';
/** Between signs of life. */
const HEARTBEAT_MS = 10_000;
/** Without a sign of life for so long, an owner that cannot be asked about counts as dead. */
const STALE_MS = 60_000;

/** Who may append to a folder of the spool. */
interface Owner {
  /** Machine, boot and process-id space: only within one do process ids mean the same. */
  readonly machine: string;
  readonly pid: number;
  /** Distinguishes a process from a later one of the same id. */
  readonly started: string;
}

function read(what: () => string): string {
  try {
    return what();
  } catch {
    return '';
  }
}

function thisMachine(): string {
  const boot = read(() => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim());
  return [hostname(), boot, read(() => readlinkSync('/proc/self/ns/pid'))].join(' ');
}

/** Start of a process in clock ticks since boot; '' where the system does not tell. */
function startOf(pid: number): string {
  // The command in parentheses may hold spaces; the start is the 20th value behind it.
  const stat = read(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it runs, under another user.
    return codeOf(error) === 'EPERM';
  }
}

/** A folder that one exporter of one process appends to. It is there together with its owner, or not at all. */
export class OwnedFolder {
  readonly path: string;
  readonly #fs: SpoolFs;
  #lastBeat = performance.now();
  #lastBeatWall = Date.now();

  private constructor(fs: SpoolFs, path: string) {
    this.#fs = fs;
    this.path = path;
  }

  /** `sync`: whether the names of the new folders must survive a power cut. */
  static async create(fs: SpoolFs, parent: string, sync = false): Promise<OwnedFolder> {
    const changed = sync ? await changedFolders(fs, parent) : [];
    const name = `${process.pid}-${randomBytes(6).toString('hex')}`;
    const owner: Owner = {
      machine: thisMachine(),
      pid: process.pid,
      started: startOf(process.pid),
    };
    const unborn = join(parent, `.${name}`);
    await makeFolder(unborn, 0o700, fs);
    await fs.writeFile(join(unborn, OWNER_FILE), JSON.stringify(owner), { mode: 0o600 });
    const path = join(parent, name);
    await fs.rename(unborn, path);
    for (const folder of changed) await syncFolder(fs, folder);
    return new OwnedFolder(fs, path);
  }

  /** Gives a sign of life when one is due. False when the folder was taken or removed meanwhile. */
  async isOurs(): Promise<boolean> {
    const now = performance.now();
    // A machine that was suspended shows it on one of the clocks only.
    const silence = Math.max(now - this.#lastBeat, Math.abs(Date.now() - this.#lastBeatWall));
    const file = join(this.path, OWNER_FILE);
    try {
      if (silence < HEARTBEAT_MS) {
        await this.#fs.stat(file);
        return true;
      }
      const time = new Date();
      await this.#fs.utimes(file, time, time);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return false;
      throw error;
    }
    this.#lastBeat = now;
    this.#lastBeatWall = Date.now();
    return true;
  }

  /** Gives the folder up: whatever is left in it may be adopted at once. */
  async release(): Promise<void> {
    await removeFile(this.#fs, join(this.path, OWNER_FILE));
    await this.#fs.rmdir(this.path).catch(() => {
      // Segments are left in it.
    });
  }

  /** The same at the end of the process. */
  releaseSync(): void {
    rmSync(join(this.path, OWNER_FILE), { force: true });
    try {
      rmdirSync(this.path);
    } catch {
      // Segments are left in it.
    }
  }
}

/** From the nearest folder that exists to `folder`: those that get a new entry when it is made and filled. */
async function changedFolders(fs: SpoolFs, folder: string): Promise<readonly string[]> {
  const exists = await fs.stat(folder).then(
    () => true,
    () => false,
  );
  const above = dirname(folder);
  return exists || above === folder ? [folder] : [...(await changedFolders(fs, above)), folder];
}

/** Finds folders that nobody appends to any more. Errs on the side of an owner that may be alive. */
export class AbandonedFolders {
  readonly #fs: SpoolFs;
  readonly #staleMs: number;
  /** Last sign of life of each owner that cannot be asked about, and since when it is the last. */
  readonly #beats = new Map<string, { readonly beat: number; readonly since: number }>();

  constructor(fs: SpoolFs, staleMs: number = STALE_MS) {
    this.#fs = fs;
    this.#staleMs = staleMs;
  }

  async includes(folder: string): Promise<boolean> {
    const file = join(folder, OWNER_FILE);
    let owner: Partial<Owner>;
    let beat: number;
    try {
      owner = JSON.parse(await this.#fs.readFile(file, 'utf8')) as Partial<Owner>;
      beat = (await this.#fs.stat(file)).mtimeMs;
    } catch (error) {
      // The file comes with the folder and goes first: without it there is no owner.
      return codeOf(error) === 'ENOENT' || error instanceof SyntaxError;
    }
    const { pid = 0, machine, started } = owner;
    if (machine === thisMachine() && (!isRunning(pid) || startOf(pid) !== started)) return true;
    if (machine === thisMachine() && pid !== process.pid) return false;
    // A thread of this process, or a process of another machine.
    return this.#isSilent(folder, beat);
  }

  /** Judged by our own steady clock only: clocks of machines differ, and are set. */
  #isSilent(folder: string, beat: number): boolean {
    const known = this.#beats.get(folder);
    const now = performance.now();
    if (known?.beat === beat) return now - known.since > this.#staleMs;
    this.#beats.set(folder, { beat, since: now });
    return false;
  }
}

/** Takes an abandoned folder away from its owner. */
export async function disown(fs: SpoolFs, folder: string): Promise<void> {
  await removeFile(fs, join(folder, OWNER_FILE));
}
