import { readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { diag } from '@opentelemetry/api';
import { TokenMeterError } from '../../src/errors.ts';
import { replaceFile } from '../../src/host/atomic-file.ts';
import { withFileLock } from '../../src/host/file-lock.ts';
import { makeFolder } from '../../src/host/make-folder.ts';
import { type AlertStateChange, type AlertStateStore, swapIn } from './state-store.ts';

/** States in a JSON file, for the processes of one machine. */
export class FileAlertStates implements AlertStateStore {
  readonly #path: string;

  constructor({ path }: { readonly path: string }) {
    if (typeof path !== 'string' || path === '') {
      throw new TokenMeterError('INVALID_OPTION', 'alerts: path must be a file name', {
        value: path,
        allowed: 'a non-empty string',
      });
    }
    this.#path = path;
  }

  async read(): Promise<ReadonlyMap<string, string>> {
    return (await this.#content()).entries;
  }

  async swap(changes: readonly AlertStateChange[]): Promise<ReadonlySet<string>> {
    // Its folder may not exist yet, and a lock needs it.
    if (changes.length === 0) return new Set();
    await makeFolder(dirname(this.#path), 0o700);
    return await withFileLock(`${this.#path}.lock`, async () => {
      const { entries, isDamaged } = await this.#content();
      const made = swapIn(entries, changes);
      if (isDamaged) await this.#setAside();
      const text = JSON.stringify(
        { version: 1, states: Object.fromEntries(entries) },
        undefined,
        1,
      );
      if (made.size > 0) await replaceFile(this.#path, `${text}\n`);
      return made;
    });
  }

  async #content(): Promise<{ entries: Map<string, string>; isDamaged: boolean }> {
    let text: string;
    try {
      text = await readFile(this.#path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      return { entries: new Map(), isDamaged: false };
    }
    try {
      const { states } = JSON.parse(text) as { readonly states: Record<string, unknown> };
      const entries = Object.entries(states).filter(([, state]) => typeof state === 'string');
      return { entries: new Map(entries as [string, string][]), isDamaged: false };
    } catch {
      return { entries: new Map(), isDamaged: true };
    }
  }

  async #setAside(): Promise<void> {
    diag.warn(`otel-token-meter: ${this.#path} is damaged; it is kept as ${this.#path}.damaged`);
    // A mounted file cannot be renamed; it is overwritten.
    await rename(this.#path, `${this.#path}.damaged`).catch(() => undefined);
  }
}
