import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { replaceFile } from '../../src/host/atomic-file.ts';
import { withFileLock } from '../../src/host/file-lock.ts';
import { makeFolder } from '../../src/host/make-folder.ts';
import { erasedUserDigest } from '../../src/domain/erased-user.ts';
import { oldestSegment } from '../spool/backlog.ts';
import { type LineChunk, sumOfLines } from '../spool/line-queue.ts';
import { singleLines } from './split-lines.ts';

/** Whose call a line is, and when it ended, ms since 1970. */
export interface CallOfLine {
  readonly user: string;
  readonly timeMs: number;
}

/** By the digest of the user: until when, ms since 1970. */
type Notes = Readonly<Record<string, number>>;

const FILE = 'erased-users.json';
/** A file for each write under way: prefix, when it has ended at the latest (ms since 1970), a random part. */
const SENDING = /^sending-(\d+)-/;
/** Which dialect, a mark, the lines. */
const MOST_REQUESTS = 3;
const POLL_MS = 20;
/** Holds the time of the last write that had no answer, ms since 1970. */
const UNANSWERED = 'unanswered-write';
/** What a gateway may still pass on to the server after the writer gave up waiting for it. */
const LATE_MS = 15_000;
/** The server never had the request. */
const NOT_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'MISSING_DEPENDENCY',
]);
/** Of a gateway, which says nothing about the server behind it. */
const OF_GATEWAYS: ReadonlySet<number> = new Set([408, 502, 504]);
/** Lines are on their way for less than this while their file is being made. */
const KEPT_AT_LEAST_MS = 3_600_000;
const LOOK_FOR_OLD_EVERY_MS = 60_000;

/**
 * Says in the folder of a destination that the calls which a user has made until now were erased. Resolves when no
 * write is under way any more that may not know of it: within the timeouts of its requests. Does nothing where no
 * process has ever kept lines. Resolves with the time, ms since 1970, until when a write that had no answer may still
 * be stored: an erasure has to look again then.
 */
export async function noteErasure(
  folder: string,
  user: string,
  nowMs: number,
  signal?: AbortSignal,
): Promise<number> {
  if (!existsSync(folder)) return 0;
  await changeNotes(join(folder, FILE), (notes) => ({ ...notes, [erasedUserDigest(user)]: nowMs }));
  let before = await writesUnderWay(folder);
  while (before.length > 0) {
    await sleep(POLL_MS, undefined, { signal });
    const now = new Set(await writesUnderWay(folder));
    before = before.filter((name) => now.has(name));
  }
  const at = await readFile(join(folder, UNANSWERED), 'utf8').catch(() => '0');
  return Number(at) + LATE_MS;
}

/** Resolves with `true` at that time, and with `false` at once where it is over. */
export async function untilLateWrites(lateMs: number, signal?: AbortSignal): Promise<boolean> {
  const waitMs = lateMs - Date.now();
  // A clock that was set back must not hold it for longer.
  if (waitMs > 0) await sleep(Math.min(waitMs, LATE_MS), undefined, { signal });
  return waitMs > 0;
}

/** In `mayRemain`, where there were such writes. */
export const lateWritesIn = (where: string): string =>
  `${where}: writes that had no answer, if it stores them more than ${LATE_MS / 1000} s later`;

/** Before lines are moved from the folder of one destination to that of another. */
export async function copyNotes(from: string, to: string): Promise<void> {
  const moved = Object.entries(await readNotes(join(from, FILE)));
  if (moved.length === 0) return;
  await makeFolder(to, 0o700);
  await changeNotes(join(to, FILE), (known) => {
    const notes = new Map(Object.entries(known));
    for (const [user, until] of moved) notes.set(user, Math.max(until, notes.get(user) ?? 0));
    return Object.fromEntries(notes);
  });
}

/** Their files. Those of processes that died in a write are removed. */
async function writesUnderWay(folder: string): Promise<readonly string[]> {
  const underWay: string[] = [];
  for (const name of await readdir(folder)) {
    const end = SENDING.exec(name)?.[1];
    if (end === undefined) continue;
    if (Number(end) > Date.now()) underWay.push(name);
    else await rm(join(folder, name), { force: true });
  }
  return underWay;
}

/**
 * Takes calls of erased users out of what is sent, whichever process has kept them: a line that waits in the spool, is
 * tried again or was adopted from a dead process must not come back. Notes go when no line is as old as they are.
 */
export class ErasedUsers {
  readonly #folder: string;
  readonly #timeoutMs: number;
  readonly #callOf: (line: Buffer) => CallOfLine | undefined;
  #notes: Notes = {};
  #version = '';
  #nextLookAt = 0;

  /** `timeoutMs`: what a request may take. */
  constructor(folder: string, timeoutMs: number, callOf: (line: Buffer) => CallOfLine | undefined) {
    this.#folder = folder;
    this.#timeoutMs = timeoutMs;
    this.#callOf = callOf;
  }

  /**
   * Writes what is left of the chunks, the same ones where nothing is to be taken out. Rejects as `write` does.
   * The file comes before the notes are read, so that an erasure waits for this write or is known to it.
   */
  async writing<T>(
    chunks: readonly LineChunk[],
    write: (left: readonly LineChunk[]) => Promise<T>,
  ): Promise<T> {
    const end = Date.now() + MOST_REQUESTS * this.#timeoutMs;
    const path = join(this.#folder, `sending-${end}-${randomUUID()}`);
    // Without a place on the disk nothing waits there either.
    await writeFile(path, '', { mode: 0o600 }).catch(() => undefined);
    try {
      return await write(await this.#without(chunks));
    } finally {
      await rm(path, { force: true }).catch(() => undefined);
    }
  }

  /**
   * Makes one request inside of `writing`, and notes where nobody knows what became of it: the server may store the
   * lines after the writer has given up. Rejects as `request` does.
   */
  async noting<T extends { readonly status: number }>(request: () => Promise<T>): Promise<T> {
    try {
      const answer = await request();
      if (OF_GATEWAYS.has(answer.status)) await this.#noteUnanswered();
      return answer;
    } catch (error) {
      const { code } = error as { readonly code?: unknown };
      if (!NOT_SENT.has(String(code))) await this.#noteUnanswered();
      throw error;
    }
  }

  async #noteUnanswered(): Promise<void> {
    const path = join(this.#folder, UNANSWERED);
    await writeFile(path, String(Date.now()), { mode: 0o600 }).catch(() => undefined);
  }

  /** Never rejects. */
  async #without(chunks: readonly LineChunk[]): Promise<readonly LineChunk[]> {
    await this.#look().catch(() => undefined);
    if (Object.keys(this.#notes).length === 0) return chunks;
    const lines = singleLines(chunks);
    const kept = lines.filter(({ body }) => !this.#isErased(body));
    return kept.length === sumOfLines(chunks) ? chunks : kept;
  }

  #isErased(line: Buffer): boolean {
    const call = this.#callOf(line);
    if (call === undefined) return false;
    const until = this.#notes[erasedUserDigest(call.user)];
    return until !== undefined && call.timeMs <= until;
  }

  async #look(): Promise<void> {
    const path = join(this.#folder, FILE);
    const stats = await stat(path).catch(() => undefined);
    const version = stats === undefined ? '' : `${stats.ino} ${stats.size} ${stats.mtimeMs}`;
    if (version !== this.#version) {
      this.#notes = await readNotes(path);
      this.#version = version;
    }
    if (stats === undefined || performance.now() < this.#nextLookAt) return;
    this.#nextLookAt = performance.now() + LOOK_FOR_OLD_EVERY_MS;
    await this.#removeOld(path);
  }

  async #removeOld(path: string): Promise<void> {
    const isOld = (oldest: number) => (until: number) =>
      until < Math.min(oldest, Date.now() - KEPT_AT_LEAST_MS);
    if (!Object.values(this.#notes).some(isOld(Infinity))) return;
    const oldest = await oldestSegment(this.#folder);
    if (!Object.values(this.#notes).some(isOld(oldest))) return;
    await changeNotes(path, (notes) =>
      Object.fromEntries(Object.entries(notes).filter(([, until]) => !isOld(oldest)(until))),
    );
  }
}

/** One process at a time. Without notes there is no file. */
async function changeNotes(path: string, change: (notes: Notes) => Notes): Promise<void> {
  await withFileLock(`${path}.lock`, async () => {
    const notes = change(await readNotes(path));
    if (Object.keys(notes).length === 0) await rm(path, { force: true });
    else await replaceFile(path, JSON.stringify(notes));
  });
}

async function readNotes(path: string): Promise<Notes> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '{}';
    throw error;
  });
  return JSON.parse(text) as Notes;
}
