import { join } from 'node:path';
import { bytesOnDisk, type SpoolFs } from './spool-fs.ts';

/** Looking at the folders of the others costs a call a file. */
const MIN_SURVEY_MS = 50;

/**
 * The part of a bound over all owners that one of them may use. Each has half of an equal part reserved,
 * whatever the others hold; what is free beyond that is granted in equal parts from survey to survey, so that
 * owners who grow at the same time stay within the bound together.
 */
export class SpoolBound {
  readonly #fs: SpoolFs;
  readonly #folder: string;
  readonly #maxBytes: number;
  #allowed: number;
  #surveyedAt = -Infinity;

  constructor(fs: SpoolFs, folder: string, maxBytes: number) {
    this.#fs = fs;
    this.#folder = folder;
    this.#maxBytes = maxBytes;
    this.#allowed = maxBytes;
  }

  get allowed(): number {
    return this.#allowed;
  }

  /** `own`: folder of this owner, and what it holds. */
  async survey(own: string, ownBytes: number): Promise<void> {
    if (performance.now() - this.#surveyedAt < MIN_SURVEY_MS) return;
    this.#surveyedAt = performance.now();
    const others: number[] = [];
    for (const entry of await this.#fs.readdir(this.#folder, { withFileTypes: true })) {
      const folder = join(this.#folder, entry.name);
      if (!entry.isDirectory() || entry.name.startsWith('.') || folder === own) continue;
      others.push(await this.#bytesIn(folder));
    }
    this.#allowed = allowance(this.#maxBytes, ownBytes, others);
  }

  async #bytesIn(folder: string): Promise<number> {
    let bytes = 0;
    for (const name of await this.#fs.readdir(folder).catch(() => [])) {
      // It may be delivered and gone by now.
      bytes += await this.#fs.stat(join(folder, name)).then(
        ({ size }) => bytesOnDisk(size),
        () => 0,
      );
    }
    return bytes;
  }
}

/** `others`: what each other owner holds. */
export function allowance(maxBytes: number, own: number, others: readonly number[]): number {
  if (others.length === 0) return maxBytes;
  const owners = others.length + 1;
  const reserved = maxBytes / (2 * owners);
  const used = [own, ...others].reduce((sum, bytes) => sum + Math.max(bytes, reserved), 0);
  return Math.max(reserved, own + (maxBytes - used) / owners);
}
