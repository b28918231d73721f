// @ts-check
import { element, find } from '../dom.js';
import { formatPercent, formatWhole } from '../formats.js';
import { t } from '../strings.js';
import { bucketValues } from './buckets.js';
import { swatch } from './colours.js';
import { TimeChart } from './time-chart.js';

/** Maximum number of error classes with a separate series. */
const MAX_CLASSES = 6;

/** Failed and aborted calls over time, by error class. */
export class FailuresPanel {
  #host;
  #chart;

  /** @param {HTMLElement} host @param {(from: Date, to: Date) => void} onSelect */
  constructor(host, onSelect) {
    this.#host = host;
    const name = t('failures.title');
    this.#chart = new TimeChart(host, {
      name,
      shape: 'bars',
      onSelect,
    });
  }

  /**
   * @param {import('./usage-api.js').Summary} course
   * @param {import('./usage-api.js').Total} total
   * @param {import('./usage-api.js').Page} newest failed calls
   * @param {import('./view.js').Gaps} gaps
   * @param {import('./view.js').Context} context
   */
  show({ rows }, total, newest, gaps, { period }) {
    const errors = { key: 'error', name: t('outcome.error'), colour: '--failure-error' };
    const aborted = { key: 'aborted', name: t('outcome.aborted'), colour: '--failure-aborted' };
    const series = [
      { ...errors, values: bucketValues(rows, period, (row) => row.errors) },
      { ...aborted, values: bucketValues(rows, period, (row) => row.aborted) },
    ];
    this.#chart.show({ period, series, gaps, format: formatWhole, whole: true });
    find('.legend', HTMLElement, this.#host).replaceChildren(
      legendItem(errors, total.errors, total.error_rate),
      legendItem(aborted, total.aborted, total.abort_rate),
    );
    this.#showClasses(newest.records);
  }

  /** @param {readonly import('./usage-api.js').UsageRecord[]} records */
  #showClasses(records) {
    const byClass = Map.groupBy(records, (record) => record.error_type ?? t('failures.unknown'));
    const classes = [...byClass].toSorted(([, a], [, b]) => b.length - a.length);
    find('.classes', HTMLElement, this.#host).replaceChildren(
      ...classes
        .slice(0, MAX_CLASSES)
        .map(([name, { length }]) =>
          element(
            'li',
            {},
            element('code', {}, name),
            ' ',
            element('span', { class: 'value' }, formatWhole(length)),
          ),
        ),
    );
    find('.classes-title', HTMLElement, this.#host).textContent =
      records.length === 0 ? t('failures.none') : t('failures.classes', { count: records.length });
  }
}

/** @param {{ name: string, colour: string }} series @param {number} count @param {number} rate */
function legendItem({ name, colour }, count, rate) {
  return element(
    'li',
    { class: 'legend-item' },
    swatch(colour),
    element('span', { class: 'name' }, name),
    ' ',
    element('span', { class: 'value' }, `${formatWhole(count)} (${formatPercent(rate)})`),
  );
}
