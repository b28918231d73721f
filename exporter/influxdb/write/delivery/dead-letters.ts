import * as fs from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeFolder } from '../../../../src/host/make-folder.ts';

/** The file is renamed once, and the one before it goes: two of these at the most. */
const MAX_BYTES = 8_000_000;

export interface DeadLetter {
  /** The line with its line break. */
  readonly line: Buffer;
  readonly reason: string;
  /** What the server said, without the line. */
  readonly message: string;
}

/**
 * Lines that the server refused for good, in a file of line protocol: what is put right in it can be
 * written again as it is. The reason stands in a comment above each line.
 */
export class DeadLetters {
  readonly path: string;
  readonly #onError: (error: Error) => void;
  #last: Promise<void> = Promise.resolve();

  constructor(path: string, onError: (error: Error) => void) {
    this.path = path;
    this.#onError = onError;
  }

  keep(letter: DeadLetter): void {
    this.#last = this.#last.then(async () => await this.#append(letter)).catch(this.#onError);
  }

  async settle(): Promise<void> {
    await this.#last;
  }

  async #append({ line, reason, message }: DeadLetter): Promise<void> {
    const comment = `# ${new Date().toISOString()} ${reason}: ${message.replaceAll(/\s+/g, ' ')}\n`;
    await makeFolder(dirname(this.path), 0o700);
    const size = await fs.stat(this.path).then(
      (stat) => stat.size,
      () => 0,
    );
    if (size > MAX_BYTES) await fs.rename(this.path, `${this.path}.1`);
    // One write: several processes may append to the file.
    const bytes = Buffer.concat([Buffer.from(comment), line]);
    await fs.appendFile(this.path, bytes, { mode: 0o600 });
  }
}
