import { singleLines } from '../../delivery/split-lines.ts';
import type { LineChunk } from '../../spool/line-queue.ts';

/** No retention is shorter than a day. */
const YOUNG_MS = 20 * 3_600_000;
/** A row begins with its time: `{"time":"2026-11-29T21:40:00`. */
const PREFIX = '{"time":"';
const SECONDS_LENGTH = 'YYYY-MM-DDTHH:MM:SS'.length;

export interface SortedRows {
  readonly kept: readonly LineChunk[];
  /** One line each. */
  readonly expired: readonly LineChunk[];
}

/** Finds rows of days whose calls the server no longer keeps. */
export class LateRows {
  readonly #since: () => Promise<Date>;
  #known = '';

  /** `since`: the time from which on the server keeps calls. */
  constructor(since: () => Promise<Date>) {
    this.#since = since;
  }

  /**
   * Asks only about rows that are old, and then each time: another retention may have been set since. Never rejects: a
   * server that does not answer takes no rows either.
   */
  async sorted(chunks: readonly LineChunk[]): Promise<SortedRows> {
    const young = secondOf(new Date(Date.now() - YOUNG_MS));
    const lines = singleLines(chunks);
    const old = lines.filter(({ body }) => isBefore(body, young));
    if (old.length === 0) return { kept: chunks, expired: [] };
    const since = await this.#keptSince();
    const expired = new Set(old.filter(({ body }) => isBefore(body, since)));
    if (expired.size === 0) return { kept: chunks, expired: [] };
    return { kept: lines.filter((line) => !expired.has(line)), expired: [...expired] };
  }

  async #keptSince(): Promise<string> {
    try {
      this.#known = secondOf(await this.#since());
    } catch {
      // What was known still holds: the time only moves on.
    }
    return this.#known;
  }
}

const secondOf = (time: Date): string => time.toISOString().slice(0, SECONDS_LENGTH);

function isBefore(line: Buffer, second: string): boolean {
  const from = PREFIX.length;
  return line.toString('latin1', from, from + SECONDS_LENGTH) < second;
}
