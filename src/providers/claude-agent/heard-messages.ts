/** Ids remembered by each, some 100 bytes an id. Beyond, the oldest are forgotten. */
const REMEMBERED_MAX = 10_000;

class MessageIds {
  readonly #ids = new Set<string>();

  has(id: string): boolean {
    return this.#ids.has(id);
  }

  add(id: string): void {
    this.#ids.delete(id);
    this.#ids.add(id);
    if (this.#ids.size <= REMEMBERED_MAX) return;
    for (const oldest of this.#ids) {
      this.#ids.delete(oldest);
      return;
    }
  }
}

/** Of all sessions, as the one that resumes another is read in another `query()`. */
const ofProcess = new MessageIds();

/**
 * Messages whose call has begun. Claude Code sends one again where a block of it is late, and the one that asked for
 * tools where a session is resumed that waits for them.
 */
export class HeardMessages {
  readonly #own = new MessageIds();
  readonly #isFresh: boolean;

  /** @param isFresh false for a session that goes on with an earlier one */
  constructor(isFresh: boolean) {
    this.#isFresh = isFresh;
  }

  has(id: string): boolean {
    return this.#own.has(id) || (!this.#isFresh && ofProcess.has(id));
  }

  add(id: string): void {
    this.#own.add(id);
    ofProcess.add(id);
  }
}
