import { ApiError } from './client.ts';
import type { AuditEntry, Health } from './contract.ts';

/** Wait after a failure of the store. */
const RETRY_MS = 10_000;

/** Authors of settings changes. Loaded only after a change, since the page reloads every second. */
export class SettingsHistory {
  #entries: readonly AuditEntry[] = [];
  #known = '';
  #notBefore = 0;
  #refused: ApiError | undefined;

  /**
   * Known entries, newest first, and the error if the server has asked to wait. Without an
   * explanation charts are better than none; the settings page says what is wrong with the store.
   */
  async until(
    /** In force. */
    {
      version,
      updated_at: updatedAt,
    }: Pick<NonNullable<Health['settings']>, 'version' | 'updated_at'>,
    ask: () => Promise<readonly AuditEntry[]>,
    now: number = performance.now(),
  ): Promise<{
    readonly entries: readonly AuditEntry[];
    readonly refused?: ApiError | undefined;
  }> {
    const wanted = `${version} ${updatedAt ?? ''}`;
    if (wanted !== this.#known && now >= this.#notBefore) {
      try {
        this.#entries = await ask();
        this.#known = wanted;
        this.#refused = undefined;
      } catch (error) {
        // The page has gone on to another view, which asks by itself.
        if (!(error instanceof ApiError)) throw error;
        this.#refused = error.status === 429 ? error : undefined;
        this.#notBefore = now + (error.waitMs || RETRY_MS);
      }
    }
    return { entries: this.#entries, refused: this.#refused };
  }
}
