// @ts-check
import { element, nameElement } from '../dom.js';
import { t } from '../strings.js';
import { bucketLabel } from './bucket-labels.js';

/** The values of a chart as a table, created when it is opened. */
export class ChartTable {
  #details;
  #name;
  /** @type {import('./time-chart.js').ChartData | undefined} */
  #data;

  /** @param {HTMLDetailsElement} details @param {string} name */
  constructor(details, name) {
    this.#details = details;
    this.#name = name;
    details.addEventListener('toggle', () => this.#fill());
  }

  /** @param {import('./time-chart.js').ChartData} data */
  show(data) {
    this.#data = data;
    if (this.#details.open) this.#fill();
  }

  #fill() {
    this.#details.querySelector('.scroll')?.remove();
    if (!this.#data || !this.#details.open) return;
    const { period, series, format } = this.#data;
    const head = element('tr', {}, element('th', { scope: 'col' }, t('chart.time')));
    for (const { name } of series) {
      head.append(element('th', { scope: 'col', class: 'number' }, nameElement(name)));
    }
    const body = element('tbody');
    for (const [index, start] of period.starts.entries()) {
      if (series.every(({ values }) => !values[index])) continue;
      const row = element(
        'tr',
        {},
        element('th', { scope: 'row' }, bucketLabel(start, period.unit)),
      );
      for (const { values } of series) {
        row.append(element('td', { class: 'number' }, format(values[index])));
      }
      body.append(row);
    }
    const caption = element('caption', { class: 'sr-only' }, this.#name);
    const table = element('table', {}, caption, element('thead', {}, head), body);
    this.#details.append(
      element(
        'div',
        { class: 'scroll', tabindex: '0', role: 'group', 'aria-label': this.#name },
        table,
      ),
    );
  }
}
