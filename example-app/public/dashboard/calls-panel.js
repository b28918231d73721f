// @ts-check
import { element, find } from '../dom.js';
import {
  costCell,
  durationCell,
  outcomeCell,
  pickCell,
  timeCell,
  tokensCell,
} from './call-cells.js';
import { KeyedList } from './keyed-list.js';

export const CALLS_A_PAGE = 15;

/** The newest calls, in pages. Only the first page is updated live. */
export class CallsPanel {
  /** Cursors of the pages up to the current one; the first page has none. @type {(string | undefined)[]} */
  #cursors = [undefined];
  /** @type {string | undefined} */
  #next;
  #rows;
  #host;
  #newer;
  #older;
  #onPage;
  #empty;

  /**
   * @param {HTMLElement} host
   * @param {{ onPick: import('./call-cells.js').Pick, onPage: () => Promise<void> }} handlers
   *   `onPage`: loads another page; resolves when it is shown or has failed
   */
  constructor(host, { onPick, onPage }) {
    this.#host = host;
    this.#onPage = onPage;
    this.#newer = find('#newer', HTMLButtonElement, host);
    this.#older = find('#older', HTMLButtonElement, host);
    this.#empty = find('.nothing', HTMLElement, host);
    this.#rows = new KeyedList(
      find('tbody', HTMLElement, host),
      () => element('tr'),
      (row, /** @type {import('./usage-api.js').UsageRecord} */ call) => {
        // A call never changes.
        if (row.childElementCount > 0) return;
        row.append(
          timeCell(call),
          pickCell('user', call, onPick),
          pickCell('model', call, onPick),
          pickCell('conversation', call, onPick),
          tokensCell(call),
          costCell(call),
          durationCell(call),
          outcomeCell(call),
        );
      },
    );
    this.#newer.addEventListener('click', () => void this.#turn(-1));
    this.#older.addEventListener('click', () => void this.#turn(1));
  }

  /** Query parameters of the current page. */
  get parameters() {
    return { limit: CALLS_A_PAGE, cursor: this.#cursors.at(-1) };
  }

  get isFirstPage() {
    return this.#cursors.length === 1;
  }

  /** Returns to the first page. */
  reset() {
    this.#cursors = [undefined];
  }

  /** @param {import('./usage-api.js').Page} page */
  show({ records, cursor }) {
    this.#next = cursor;
    this.#rows.show(records.map((record) => [record.id, record]));
    this.#newer.disabled = this.isFirstPage;
    this.#older.disabled = cursor === undefined;
    this.#empty.hidden = records.length > 0;
  }

  /** One page at a time: its response has the cursor of the next one. @param {1 | -1} step */
  async #turn(step) {
    if (this.#host.ariaBusy === 'true') return;
    if (step === 1) this.#cursors.push(this.#next);
    else this.#cursors.pop();
    this.#host.ariaBusy = 'true';
    await this.#onPage();
    this.#host.ariaBusy = 'false';
  }
}
