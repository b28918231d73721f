// @ts-check
import { ApiError } from '../api.js';

/** @typedef {import('./usage-api.js').AuditEntry} AuditEntry */

/** Wait after a failure of the store. */
const RETRY_MS = 10_000;

/** Authors of settings changes. Loaded only after a change, since the page reloads every second. */
export class SettingsHistory {
  /** @type {readonly AuditEntry[]} */
  #entries = [];
  #known = '';
  #notBefore = 0;
  /** @type {ApiError | undefined} */
  #refused;

  /**
   * Known entries, newest first, and the error if the server has asked to wait. Without an
   * explanation charts are better than none; the settings page says what is wrong with the store.
   *
   * @param {NonNullable<import('./usage-api.js').Health['settings']>} settings in force
   * @param {() => Promise<readonly AuditEntry[]>} ask
   * @param {number} [now]
   * @returns {Promise<{ entries: readonly AuditEntry[], refused?: ApiError | undefined }>}
   */
  async until({ version, updated_at: updatedAt }, ask, now = performance.now()) {
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
