import { rmSync } from 'node:fs';
import { readFile, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../../host/make-folder.ts';
import { replaceFile } from '../../host/atomic-file.ts';
import type { InstanceReport, SeenInstance } from './settings-store.ts';

/** Reports of the processes that share one settings file, a small file each. */
export class InstanceFolder {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
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
    const found = await Promise.all(names.map((name) => this.#read(join(this.#path, name))));
    return found.filter((instance) => instance !== undefined);
  }

  async #read(path: string): Promise<SeenInstance | undefined> {
    try {
      if (!path.endsWith('.json')) {
        // Temporary file of a process that died while writing.
        if (Date.now() - (await stat(path)).mtimeMs > 60_000) await rm(path, { force: true });
        return undefined;
      }
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
