import { rmSync } from 'node:fs';
import { readFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../../host/make-folder.ts';
import { replaceFile } from '../../host/atomic-file.ts';
import type { InstanceReport, SeenInstance } from './settings-store.ts';

/** A report takes milliseconds to write: a temporary file seen for so long is of a process that died. */
const LEFT_OVER_MS = 60_000;

/** Reports of the processes that share one settings file, a small file each. */
export class InstanceFolder {
  readonly #path: string;
  readonly #now: () => number;
  /** Since when temporary files are seen, by our own steady clock: that of a file server may differ. */
  readonly #seenSince = new Map<string, number>();

  /** `now` is monotonic, ms. */
  constructor(path: string, now: () => number = () => performance.now()) {
    this.#path = path;
    this.#now = now;
  }

  async add(instance: InstanceReport, ttlMs: number): Promise<void> {
    await makeFolder(this.#path, 0o700);
    const seen: SeenInstance = { ...instance, lastSeenAt: new Date().toISOString() };
    const text = JSON.stringify({ instance: seen, until: Date.now() + ttlMs });
    await replaceFile(this.#fileOf(instance.id), text);
  }

  async remove(id: string): Promise<void> {
    await rm(this.#fileOf(id), { force: true });
  }

  removeNow(id: string): void {
    try {
      rmSync(this.#fileOf(id), { force: true });
    } catch {
      // It is not ours to remove any more, and ends by its time anyway.
    }
  }

  async list(): Promise<SeenInstance[]> {
    const names = await readdir(this.#path).catch(() => []);
    const isReport = (name: string): boolean => name.endsWith('.json');
    await this.#removeLeftOvers(names.filter((name) => !isReport(name)));
    const reports = names.filter(isReport);
    const found = await Promise.all(reports.map((name) => this.#read(join(this.#path, name))));
    return found.filter((instance) => instance !== undefined);
  }

  async #removeLeftOvers(names: readonly string[]): Promise<void> {
    const now = this.#now();
    for (const name of this.#seenSince.keys()) {
      if (!names.includes(name)) this.#seenSince.delete(name);
    }
    for (const name of names) {
      const since = this.#seenSince.get(name) ?? now;
      this.#seenSince.set(name, since);
      if (now - since < LEFT_OVER_MS) continue;
      await rm(join(this.#path, name), { force: true }).catch(() => {
        // Not ours to remove.
      });
    }
  }

  async #read(path: string): Promise<SeenInstance | undefined> {
    try {
      const { instance, until } = JSON.parse(await readFile(path, 'utf8')) as {
        instance: SeenInstance;
        until: number;
      };
      if (until > Date.now()) return instance;
      await rm(path, { force: true });
    } catch {
      // Replaced or removed at this moment, or not ours.
    }
    return undefined;
  }

  #fileOf(id: string): string {
    return join(this.#path, `${encodeURIComponent(id).replaceAll('.', '%2E')}.json`);
  }
}
