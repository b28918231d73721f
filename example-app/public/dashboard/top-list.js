// @ts-check
import { element, find, isolated, nameElement } from '../dom.js';
import { formatCompact, formatCost, formatPercent, partialCostText } from '../formats.js';
import { t } from '../strings.js';
import { KeyedList } from './keyed-list.js';
import { formatMeasure, nameOf } from './names.js';

/** @typedef {import('./usage-api.js').Row} Row */
/** @typedef {'user' | 'model' | 'conversation'} Listed */

/** The largest values of one dimension with their share. Clicking one filters by it. */
export class TopList {
  #dimension;
  #list;
  #empty;

  /**
   * @param {HTMLElement} host
   * @param {Listed} dimension
   * @param {(dimension: Listed, value: string) => void} onPick
   */
  constructor(host, dimension, onPick) {
    this.#dimension = dimension;
    this.#empty = find('.nothing', HTMLElement, host);
    this.#list = new KeyedList(
      find('ol', HTMLElement, host),
      () => {
        const row = element('button', { type: 'button', class: 'bar-row' });
        for (const part of ['name', 'value', 'bar', 'detail']) {
          row.append(element('span', { class: part }), ' ');
        }
        row.addEventListener('click', () => onPick(dimension, row.dataset['pick'] ?? ''));
        return element('li', {}, row);
      },
      (item, /** @type {{ row: Row, longest: number, view: import('./view.js').View }} */ shown) =>
        this.#update(item, shown),
    );
  }

  /**
   * @param {import('./usage-api.js').Summary} summary by the dimension
   * @param {import('./view.js').Context} context
   */
  show({ rows }, { view }) {
    const longest = Math.max(...rows.map((row) => (row.is_other ? 0 : (row[view.measure] ?? 0))));
    this.#empty.hidden = rows.length > 0;
    this.#list.show(
      rows.map((row) => [
        row.is_other ? ' other' : (row[this.#dimension] ?? ''),
        { row, longest, view },
      ]),
    );
  }

  /** @param {HTMLElement} item @param {{ row: Row, longest: number, view: import('./view.js').View }} shown */
  #update(item, { row, longest, view }) {
    const value = row[view.measure];
    const key = row[this.#dimension];
    const name = row.is_other ? t('usage.other') : nameOf(this.#dimension, key);
    const button = find('.bar-row', HTMLButtonElement, item);
    const set = (/** @type {string} */ part, /** @type {string} */ text) => {
      find(`.${part}`, HTMLElement, item).textContent = text;
    };
    find('.name', HTMLElement, item).replaceChildren(nameElement(name));
    set('value', formatMeasure(row, view.measure));
    set('detail', detailOf(row, view.measure));
    button.disabled = row.is_other === true;
    button.dataset['pick'] = key ?? '';
    const notes = [
      row.is_other ? '' : t('usage.filterBy', { name: isolated(name) }),
      partialCostText(row.partial_cost_calls),
    ];
    button.title = notes.filter((note) => note !== '').join('\n');
    const width = row.is_other || longest === 0 ? 0 : (value ?? 0) / longest;
    find('.bar', HTMLElement, item).style.setProperty('--width', `${(width * 100).toFixed(1)}%`);
  }
}

/** @param {Row} row @param {import('./view.js').Measure} measure */
function detailOf(row, measure) {
  const others = [
    measure === 'calls' ? undefined : t('usage.calls', { count: formatCompact(row.calls) }),
    measure === 'total_tokens'
      ? undefined
      : t('usage.tokens', { count: formatCompact(row.total_tokens) }),
    measure === 'cost_usd' || row.cost_usd === undefined ? undefined : formatCost(row),
  ];
  return [row.share === undefined ? undefined : formatPercent(row.share), ...others]
    .filter((part) => part !== undefined)
    .join(' · ');
}
