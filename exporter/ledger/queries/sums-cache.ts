import { SharedWork } from '../shared-work.ts';
import { TooManyKeys } from './cells.ts';
import type { KeptSums } from './kept-sums.ts';

/** Some tens of megabytes. */
const MAX_ROWS = 250_000;
/** What an entry takes besides its rows. */
const ROWS_AN_ENTRY = 20;

interface Entry {
  /** Undefined: too many keys to be kept. */
  readonly sums: KeptSums | undefined;
  /** In rows. */
  readonly size: number;
}

/**
 * Sums of parts of a ledger that have not changed since they were made: the key says of what, and how the ledger was
 * then. Least recently used ones are dropped.
 */
export class SumsCache {
  readonly #maxRows: number;
  readonly #entries = new Map<string, Entry>();
  readonly #making = new SharedWork<Entry>();
  #rows = 0;

  constructor(maxRows: number = MAX_ROWS) {
    this.#maxRows = maxRows;
  }

  /** Resolves with undefined when `make` rejected with `TooManyKeys`, now or earlier. */
  async get(
    key: string,
    make: (signal: AbortSignal) => Promise<KeptSums>,
    signal: AbortSignal | undefined,
  ): Promise<KeptSums | undefined> {
    const known = this.#entries.get(key);
    if (known === undefined) {
      return (
        await this.#making.run(key, async (stop) => await this.#make(key, make, stop), signal)
      ).sums;
    }
    this.#entries.delete(key);
    this.#entries.set(key, known);
    return known.sums;
  }

  async #make(
    key: string,
    make: (signal: AbortSignal) => Promise<KeptSums>,
    signal: AbortSignal,
  ): Promise<Entry> {
    const sums = await orTooLarge(make(signal));
    const entry = { sums, size: (sums?.size ?? 0) + ROWS_AN_ENTRY };
    this.#entries.set(key, entry);
    this.#rows += entry.size;
    for (const [oldest, { size }] of this.#entries) {
      if (this.#rows <= this.#maxRows) break;
      this.#entries.delete(oldest);
      this.#rows -= size;
    }
    return entry;
  }
}

async function orTooLarge(sums: Promise<KeptSums>): Promise<KeptSums | undefined> {
  try {
    return await sums;
  } catch (error) {
    if (error instanceof TooManyKeys) return undefined;
    throw error;
  }
}
