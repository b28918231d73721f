import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { makeFolder } from '../../src/host/make-folder.ts';

/** The file is put aside from here on. */
const MAX_BYTES = 8_000_000;
/** Files put aside that are kept. */
const MAX_OLD_FILES = 2;

export interface DeadLetters {
  /** Each with its line break. */
  readonly lines: readonly Buffer[];
  readonly reason: string;
  /** What the server said, without the lines. */
  readonly message: string;
}

/**
 * Lines that the server refused for good, in a file of line protocol: what is put right in it can be
 * written again as it is. The reason stands in a comment before them. Any number of processes may write to the
 * file; each puts it aside under a name of its own, so that none overwrites what another put aside.
 */
export class DeadLetterFile {
  readonly path: string;
  readonly #onError: (error: Error) => void;
  readonly #maxBytes: number;
  #last: Promise<void> = Promise.resolve();

  constructor(path: string, onError: (error: Error) => void, maxBytes: number = MAX_BYTES) {
    this.path = path;
    this.#onError = onError;
    this.#maxBytes = maxBytes;
  }

  keep(letters: DeadLetters): void {
    this.#last = this.#last.then(async () => await this.#append(letters)).catch(this.#onError);
  }

  /** Resolves when everything kept so far is in the file. */
  async written(): Promise<void> {
    await this.#last;
  }

  async #append({ lines, reason, message }: DeadLetters): Promise<void> {
    const comment = `# ${new Date().toISOString()} ${reason}: ${message.replaceAll(/\s+/g, ' ')}\n`;
    await makeFolder(dirname(this.path), 0o700);
    const size = await fs.stat(this.path).then(
      (stat) => stat.size,
      () => 0,
    );
    if (size > this.#maxBytes) await this.#putAside();
    // One write, which the file system appends as a whole.
    const bytes = Buffer.concat([Buffer.from(comment), ...lines]);
    await fs.appendFile(this.path, bytes, { mode: 0o600 });
  }

  async #putAside(): Promise<void> {
    const time = new Date().toISOString().replaceAll(/[^\d]/g, '');
    await fs
      .rename(this.path, `${this.path}.${time}-${randomBytes(3).toString('hex')}`)
      .catch((error: NodeJS.ErrnoException) => {
        // Another process was faster.
        if (error.code !== 'ENOENT') throw error;
      });
    const folder = dirname(this.path);
    const old = (await fs.readdir(folder))
      .filter((name) => name.startsWith(`${basename(this.path)}.`))
      .toSorted();
    for (const name of old.slice(0, -MAX_OLD_FILES))
      await fs.rm(join(folder, name), { force: true });
  }
}
