import { appendFile, readFile } from 'node:fs/promises';
import { replaceFile } from '../atomic-file.ts';
import type { AuditEntry } from '../stored-settings.ts';

const LIMIT = 10_000;

/** The audit log beside a settings file: one JSON object a line. */
export class AuditFile {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /**
   * Called before the settings themselves are replaced: a crash in between leaves a line whose
   * version is written again by the next change, and of equal versions the last line counts.
   */
  async append(entries: readonly AuditEntry[]): Promise<void> {
    if (entries.length === 0) return;
    const text = entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');
    await appendFile(this.#path, text, { mode: 0o600 });
    const last = entries[entries.length - 1] as AuditEntry;
    if (last.version % 1000 === 0) await this.#trim();
  }

  /** Newest first. */
  async list(limit: number): Promise<AuditEntry[]> {
    const entries = new Map<number, AuditEntry>();
    for (const line of await this.#lines()) {
      const entry = parseEntry(line);
      if (!entry) continue;
      entries.delete(entry.version);
      entries.set(entry.version, entry);
    }
    return [...entries.values()].slice(-limit).toReversed();
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
