import type { StoredTable } from '../../ledger/queries/usage-table.ts';

/** Some tens of megabytes. */
const MAX_ROWS = 200_000;

/**
 * Tables of roll-ups, unpacked. A roll-up that is made again has more marks, so its state says whether a table is
 * still that of the server.
 */
export class RollUpCache {
  readonly #maxRows: number;
  /** Least recently used first. */
  readonly #entries = new Map<string, { readonly value: unknown; readonly rows: number }>();
  #rows = 0;

  constructor(maxRows: number = MAX_ROWS) {
    this.#maxRows = maxRows;
  }

  get(key: string): unknown {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  set(key: string, value: unknown): void {
    const { keys, duration } = value as Partial<StoredTable & { duration: readonly unknown[] }>;
    // A row of sketches holds some hundred numbers.
    const rows = keys?.length ?? (duration?.length ?? 0) * 5;
    this.#rows += rows - (this.#entries.get(key)?.rows ?? 0);
    this.#entries.delete(key);
    this.#entries.set(key, { value, rows });
    for (const [oldest, entry] of this.#entries) {
      if (this.#rows <= this.#maxRows) return;
      this.#entries.delete(oldest);
      this.#rows -= entry.rows;
    }
  }
}
