// @ts-check
import { callApi } from '../api.js';
import { displayIn } from '../formats.js';
import { timeZone } from './period.js';

/**
 * @typedef {import('zod').z.output<typeof import('../../routes/usage-schemas.ts').usageSummary>} Summary
 * @typedef {Summary['rows'][number]} Row
 * @typedef {Summary['total']} Total
 * @typedef {import('zod').z.output<typeof import('../../routes/usage-schemas.ts').usageRecord>} UsageRecord
 * @typedef {import('zod').z.output<typeof import('../../routes/usage-schemas.ts').usagePage>} Page
 * @typedef {import('zod').z.output<typeof import('../../routes/usage-schemas.ts').usageConversation>} Conversation
 * @typedef {import('../../routes/dashboard-health.ts').UsageHealth} Health
 * @typedef {import('zod').z.output<typeof import('../../schemas.ts').auditLog>['entries'][number]} AuditEntry
 * @typedef {Readonly<Record<string, string | number | boolean | undefined>>} Parameters
 */

/** Usage API for one view, whose range and filters apply to every query. */
export class UsageApi {
  #view;
  #period;
  #signal;
  /** Set by the health of this load: no amount is shown before. @type {Promise<void> | undefined} */
  #currency;

  /**
   * @param {import('./view.js').View} view
   * @param {import('./period.js').Period} period
   * @param {AbortSignal} signal
   */
  constructor(view, period, signal) {
    this.#view = view;
    this.#period = period;
    this.#signal = signal;
  }

  /** @param {Parameters} parameters @returns {Promise<Summary>} */
  async summary(parameters) {
    return await this.#amounts(`/api/usage/summary?${this.#search(parameters)}`);
  }

  /** @param {Parameters} parameters @returns {Promise<Page>} */
  async records(parameters) {
    return await this.#amounts(`/api/usage/records?${this.#search(parameters)}`);
  }

  /** Whether there is any call at all, whatever the view shows. @returns {Promise<boolean>} */
  async isEmpty() {
    /** @type {Page} */
    const { records } = await this.#json('/api/usage/records?limit=1');
    return records.length === 0;
  }

  /** @param {string} id @returns {Promise<Conversation>} */
  async conversation(id) {
    return await this.#amounts(`/api/usage/conversations/${encodeURIComponent(id)}`);
  }

  /** @returns {Promise<Health>} */
  async health() {
    const health = this.#json('/api/usage/health');
    this.#currency = health.then(
      ({ prices }) => displayIn(prices?.currency),
      () => undefined,
    );
    return await health;
  }

  /** Newest first. @returns {Promise<readonly AuditEntry[]>} */
  async audit() {
    const { entries } = await this.#json('/api/settings/metrics/audit?limit=1000');
    return entries;
  }

  /** Parameters for all calls of the view. */
  csvLink() {
    return `/api/usage/export.csv?${this.#search({})}`;
  }

  /** @param {Parameters} parameters */
  #search(parameters) {
    const search = new URLSearchParams({
      from: this.#period.from.toISOString(),
      time_zone: timeZone,
    });
    // A live view ends at the server's time, since this clock may differ.
    if (!this.#period.live) search.set('to', this.#period.to.toISOString());
    for (const [dimension, values] of Object.entries(this.#view.filters)) {
      for (const value of values) search.append(dimension, value);
    }
    for (const [name, value] of Object.entries(parameters)) {
      if (value !== undefined) search.set(name, String(value));
    }
    return search;
  }

  /** @param {string} path */
  async #amounts(path) {
    const answer = await this.#json(path);
    await this.#currency;
    return answer;
  }

  /** @param {string} path */
  async #json(path) {
    const answer = await callApi(path, { signal: this.#signal });
    return await answer.json();
  }
}
