import { appendFile, open, readFile } from 'node:fs/promises';
import { replaceFile } from '../../host/atomic-file.ts';
import type { AuditEntry } from '../stored-settings.ts';

const LIMIT = 10_000;

/** The audit log beside a settings file: one JSON object a line. */
export class AuditFile {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  async append(entries: readonly AuditEntry[]): Promise<void> {
    if (entries.length === 0) return;
    const text = entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');
    await appendFile(this.#path, text, { mode: 0o600 });
    const last = entries[entries.length - 1] as AuditEntry;
    if (last.version % 1000 === 0) await this.#trim();
  }

  /** Adds the entries of the last change where a crash came between that change and its lines. */
  async complete(entries: readonly AuditEntry[]): Promise<void> {
    const last = entries.at(-1);
    if (last === undefined) return;
    const line = JSON.stringify(last);
    const tail = await this.#tail(Buffer.byteLength(line) + 1);
    if (tail.trimEnd().endsWith(line)) return;
    // A torn line must not swallow the next one.
    if (tail !== '' && !tail.endsWith('\n')) await appendFile(this.#path, '\n');
    await this.append(entries);
  }

  /** Newest first. `lastChange`: the entries that must be there. */
  async list(limit: number, lastChange: readonly AuditEntry[]): Promise<AuditEntry[]> {
    const entries = new Map<string, AuditEntry>();
    const parsed = (await this.#lines()).map(parseEntry).filter((entry) => entry !== undefined);
    for (const entry of [...parsed, ...lastChange]) {
      const key = `${entry.epoch ?? ''} ${entry.version} ${entry.action}`;
      if (!entries.has(key)) entries.set(key, entry);
    }
    return [...entries.values()].slice(-limit).toReversed();
  }

  async #tail(bytes: number): Promise<string> {
    let file;
    try {
      file = await open(this.#path, 'r');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
      throw error;
    }
    try {
      const { size } = await file.stat();
      const start = Math.max(0, size - bytes);
      const { buffer, bytesRead } = await file.read({
        buffer: Buffer.alloc(size - start),
        position: start,
      });
      return buffer.toString('utf8', 0, bytesRead);
    } finally {
      await file.close();
    }
  }

  async #lines(): Promise<string[]> {
    try {
      return (await readFile(this.#path, 'utf8')).split('\n').filter((line) => line !== '');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  }

  async #trim(): Promise<void> {
    const lines = await this.#lines();
    if (lines.length > LIMIT) await replaceFile(this.#path, `${lines.slice(-LIMIT).join('\n')}\n`);
  }
}

function parseEntry(line: string): AuditEntry | undefined {
  try {
    const entry = JSON.parse(line) as AuditEntry | null;
    return typeof entry?.version === 'number' ? entry : undefined;
  } catch {
    // The torn last line of a crash.
    return undefined;
  }
}
