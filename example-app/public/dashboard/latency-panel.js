// @ts-check
import { element, find } from '../dom.js';
import { formatMs } from '../formats.js';
import { t } from '../strings.js';
import { bucketValues } from './buckets.js';
import { swatch } from './colours.js';
import { TimeChart } from './time-chart.js';

/** @typedef {import('./usage-api.js').Row} Row */

/** @type {readonly (readonly [name: string, colour: string, dash: readonly number[], duration: (row: Row) => number | undefined, first: (row: Row) => number | undefined])[]} */
const percentiles = [
  ['p50', '--p50', [], (row) => row.duration_p50_ms, (row) => row.time_to_first_chunk_p50_ms],
  ['p95', '--p95', [], (row) => row.duration_p95_ms, (row) => row.time_to_first_chunk_p95_ms],
  ['p99', '--p99', [3, 3], (row) => row.duration_p99_ms, (row) => row.time_to_first_chunk_p99_ms],
];

/** Duration of calls: 50th, 95th and 99th percentile. */
export class LatencyPanel {
  #chart;
  #legend;

  /** @param {HTMLElement} host @param {(from: Date, to: Date) => void} onSelect */
  constructor(host, onSelect) {
    const name = t('latency.title');
    this.#chart = new TimeChart(host, {
      name,
      shape: 'lines',
      onSelect,
    });
    this.#legend = find('.legend', HTMLElement, host);
  }

  /**
   * @param {import('./usage-api.js').Summary} course with percentiles
   * @param {import('./usage-api.js').Total} total
   * @param {import('./view.js').Gaps} gaps
   * @param {import('./view.js').Context} context
   */
  show({ rows }, total, gaps, { view, period }) {
    const first = view.latency === 'first';
    const series = percentiles.map(([name, colour, dash, duration, firstChunk]) => ({
      key: name,
      name,
      colour,
      ...(dash.length > 0 && { dash }),
      values: bucketValues(rows, period, first ? firstChunk : duration),
    }));
    this.#chart.show({ period, series, gaps, format: formatMs });
    const totals = /** @type {Row} */ (total);
    this.#legend.replaceChildren(
      ...percentiles.map(([name, colour, dash, duration, firstChunk]) =>
        element(
          'li',
          { class: 'legend-item' },
          swatch(colour, dash.length > 0),
          element('span', { class: 'name' }, name),
          ' ',
          element('span', { class: 'value' }, formatMs((first ? firstChunk : duration)(totals))),
        ),
      ),
    );
  }
}
