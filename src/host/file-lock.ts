import { randomUUID } from 'node:crypto';
import { link, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** The locked part takes milliseconds: a lock this old was left by a process that died. */
const ABANDONED_MS = 5_000;
/**
 * The same while a process with the holder's pid runs here: it may be starved and still write, so its
 * lock is left alone, but not forever, since pids are used again.
 */
const ABANDONED_ALIVE_MS = 30_000;
const GIVE_UP_MS = 12_000;

/** A lock as it was first seen here. */
interface Sighting {
  holder: string;
  at: number;
}

/** Runs `job` while no other process that uses the same lock path does. */
export async function withFileLock<R>(path: string, job: () => Promise<R>): Promise<R> {
  const token = `${process.pid} ${randomUUID()}`;
  const giveUpAt = performance.now() + GIVE_UP_MS;
  const sighting: Sighting = { holder: '', at: 0 };
  while (!(await tryLock(path, token))) {
    if (performance.now() > giveUpAt) throw new Error(`${path} is held by another process`);
    await breakAbandoned(path, sighting);
    await sleep(2 + Math.random() * 10);
  }
  try {
    return await job();
  } finally {
    const holder = await readFile(path, 'utf8').catch(() => '');
    if (holder === token) await rm(path, { force: true });
  }
}

async function tryLock(path: string, token: string): Promise<boolean> {
  try {
    await writeFile(path, token, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Takes a lock away that nobody holds any more: by its age, or, since a file's time may lie in the
 * future, by how long it has been watched. Renaming is the only step two breakers cannot both
 * do; should it have caught a lock made in between, that one is put back.
 */
async function breakAbandoned(path: string, sighting: Sighting): Promise<void> {
  try {
    const holder = await readFile(path, 'utf8');
    const { mtimeMs } = await stat(path);
    const now = performance.now();
    if (holder !== sighting.holder) Object.assign(sighting, { holder, at: now });
    const watchedMs = now - sighting.at;
    const abandonedMs = isAlive(Number.parseInt(holder, 10)) ? ABANDONED_ALIVE_MS : ABANDONED_MS;
    const isOldHere = Date.now() - mtimeMs >= abandonedMs;
    const ageMs = isOldHere ? (await fileSystemNow(path)) - mtimeMs : 0;
    if (Math.max(ageMs, watchedMs) < abandonedMs) return;
    const aside = `${path}.${randomUUID()}.tmp`;
    await rename(path, aside);
    if ((await readFile(aside, 'utf8')) !== holder) await link(aside, path).catch(() => undefined);
    await rm(aside, { force: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** The clock that times of files are of: a file server's may differ from this machine's. */
async function fileSystemNow(path: string): Promise<number> {
  const probe = `${path}.${randomUUID()}.tmp`;
  try {
    await writeFile(probe, '', { mode: 0o600 });
    return (await stat(probe)).mtimeMs;
  } finally {
    await rm(probe, { force: true });
  }
}

function isAlive(pid: number): boolean {
  if (!(pid > 0)) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
