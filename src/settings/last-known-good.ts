import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { replaceFile } from '../host/atomic-file.ts';
import type { StoredSettings } from './stored-settings.ts';
import { parseStoredSettings, toJson } from './stored-settings-json.ts';

/**
 * The newest settings seen, on this machine's disk, for a start while the store is down. Never
 * fails: what cannot be read is absent, what cannot be written is logged once.
 */
export class LastKnownGood {
  readonly #path: string;
  readonly #warn: (message: string) => void;
  #pending: StoredSettings | undefined;
  #writing: Promise<void> | undefined;
  #warned = false;

  constructor(path: string, warn: (message: string) => void) {
    this.#path = path;
    this.#warn = warn;
  }

  async load(): Promise<StoredSettings | undefined> {
    try {
      return parseStoredSettings(await readFile(this.#path, 'utf8'));
    } catch {
      return undefined;
    }
  }

  /** Of states that come while one is being written only the newest is written next. */
  keep(state: StoredSettings): void {
    this.#pending = state;
    this.#writing ??= this.#write();
  }

  /** Resolves when the newest state is on disk. */
  async settled(): Promise<void> {
    await this.#writing;
  }

  async #write(): Promise<void> {
    while (this.#pending) {
      const state = this.#pending;
      this.#pending = undefined;
      try {
        await replaceFile(this.#path, `${JSON.stringify(toJson(state))}\n`);
      } catch (error) {
        if (!this.#warned) {
          const code = (error as NodeJS.ErrnoException).code ?? 'error';
          this.#warn(`last known settings cannot be kept at ${this.#path} (${code})`);
        }
        this.#warned = true;
      }
    }
    this.#writing = undefined;
  }
}

/**
 * A file of the user's own state folder, one for each store address. A shared temporary folder
 * would let another user of the machine plant settings.
 */
export function defaultLastKnownGoodPath(
  address: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
): string {
  const root = env['XDG_STATE_HOME'] || join(homedir(), '.local', 'state');
  const name = createHash('sha256').update(address).digest('hex').slice(0, 16);
  return join(root, 'otel-token-meter', `settings-${name}.json`);
}
