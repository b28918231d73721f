// @ts-check
import { element, find, isolated, nameElement } from '../dom.js';
import { formatCost, partialCostText } from '../formats.js';
import { t } from '../strings.js';
import { bucketValues, sumOf } from './buckets.js';
import { ColourSlots, SLOTS, swatch } from './colours.js';
import { KeyedList } from './keyed-list.js';
import { measureFormats, nameOf } from './names.js';
import { TimeChart } from './time-chart.js';

/** @typedef {import('./usage-api.js').Row} Row */

/** Series of one bar. `pick`: the value to filter by. @typedef {import('./time-chart.js').Series & { pick?: string, partial: number }} Stacked */

const OTHER = ' other';

/** Disjoint kinds of tokens, as providers bill them. @type {readonly (readonly [import('../strings.js').StringKey, string, (row: Row) => number | undefined])[]} */
const kinds = [
  [
    'kind.input',
    '--kind-input',
    (row) => less(row.input_tokens, row.cache_read_tokens, row.cache_write_tokens),
  ],
  ['kind.cacheRead', '--kind-cache-read', (row) => row.cache_read_tokens],
  ['kind.cacheWrite', '--kind-cache-write', (row) => row.cache_write_tokens],
  ['kind.output', '--kind-output', (row) => less(row.output_tokens, row.reasoning_tokens)],
  ['kind.reasoning', '--kind-reasoning', (row) => row.reasoning_tokens],
];

/** Tokens, cost or calls over time, stacked. */
export class CoursePanel {
  #colours = new ColourSlots();
  #chart;
  #legend;
  #note;

  /**
   * @param {HTMLElement} host
   * @param {(from: Date, to: Date) => void} onSelect
   * @param {(dimension: import('./view.js').Dimension, value: string) => void} onPick
   */
  constructor(host, onSelect, onPick) {
    const name = t('course.title');
    this.#chart = new TimeChart(host, {
      name,
      shape: 'bars',
      onSelect,
    });
    this.#note = find('.partial', HTMLElement, host);
    this.#legend = new KeyedList(
      find('.legend', HTMLElement, host),
      () => {
        const button = element('button', { type: 'button', class: 'legend-item' });
        button.addEventListener('click', () => {
          const { dimension, pick } = button.dataset;
          if (pick !== undefined) onPick(dimension === 'user' ? 'user' : 'model', pick);
        });
        return element('li', {}, button);
      },
      (item, /** @type {Stacked & { total: string, stack: string }} */ series) => {
        const button = find('button', HTMLButtonElement, item);
        button.replaceChildren(
          swatch(series.colour),
          element('span', { class: 'name' }, nameElement(series.name)),
          element('span', { class: 'value' }, series.total),
        );
        button.disabled = series.pick === undefined;
        button.title =
          series.pick === undefined ? '' : t('usage.filterBy', { name: isolated(series.name) });
        button.dataset['dimension'] = series.stack;
        if (series.pick === undefined) delete button.dataset['pick'];
        else button.dataset['pick'] = series.pick;
      },
    );
  }

  /**
   * @param {import('./usage-api.js').Summary} course grouped by the period's unit, and by the stack unless it is `kind`
   * @param {import('./view.js').Gaps} gaps
   * @param {import('./view.js').Context} context
   */
  show({ rows }, gaps, { view, period }) {
    const series =
      view.stack === 'kind'
        ? this.#byKind(rows, period, view)
        : this.#byKey(rows, period, view, view.stack);
    const format = measureFormats[view.measure];
    this.#chart.show({ period, series, gaps, format, whole: view.measure !== 'cost_usd' });
    const isCost = view.measure === 'cost_usd';
    this.#legend.show(
      series.map((one) => {
        const sum = sumOf(one.values);
        const total = isCost
          ? formatCost({ cost_usd: sum, partial_cost_calls: one.partial })
          : format(sum);
        return [one.key, { ...one, stack: view.stack, total }];
      }),
    );
    const partial = isCost ? partialOf(rows) : 0;
    this.#note.textContent = partialCostText(partial);
    this.#note.hidden = partial === 0;
  }

  /** @param {readonly Row[]} rows @param {import('./period.js').Period} period @param {import('./view.js').View} view @returns {Stacked[]} */
  #byKind(rows, period, { measure }) {
    const parts =
      measure === 'total_tokens'
        ? kinds
        : [
            /** @type {const} */ ([
              `measure.${measure}`,
              '--series-1',
              (/** @type {Row} */ row) => row[measure],
            ]),
          ];
    return parts
      .map(([key, colour, valueOf]) => ({
        key,
        name: t(key),
        colour,
        values: bucketValues(rows, period, valueOf),
        partial: partialOf(rows),
      }))
      .filter(({ values }) => values.some((value) => value));
  }

  /**
   * @param {readonly Row[]} rows
   * @param {import('./period.js').Period} period
   * @param {import('./view.js').View} view
   * @param {'model' | 'user'} dimension
   * @returns {Stacked[]}
   */
  #byKey(rows, period, { measure }, dimension) {
    /** @type {Map<string, Row[]>} */
    const byKey = Map.groupBy(rows, (row) => (row.is_other ? OTHER : (row[dimension] ?? '')));
    const series = [...byKey].map(([key, group]) => ({
      key,
      group,
      values: bucketValues(group, period, (row) => row[measure]),
    }));
    const total = (/** @type {typeof series[number]} */ { values }) => sumOf(values) ?? 0;
    const named = series.filter(({ key }) => key !== OTHER).toSorted((a, b) => total(b) - total(a));
    this.#colours.assign(named.slice(0, SLOTS).map(({ key }) => key));
    return [...named, ...series.filter(({ key }) => key === OTHER)].map(
      ({ key, group, values }) => ({
        key,
        values,
        partial: partialOf(group),
        colour: this.#colours.of(key),
        name: key === OTHER ? t('usage.other') : nameOf(dimension, key),
        ...(key === OTHER ? {} : { pick: key }),
      }),
    );
  }
}

/** Calls whose cost is a lower bound. @param {readonly Row[]} rows */
function partialOf(rows) {
  return rows.reduce((sum, row) => sum + row.partial_cost_calls, 0);
}

/** @param {number | undefined} whole @param {...(number | undefined)} parts */
function less(whole, ...parts) {
  return whole === undefined
    ? undefined
    : parts.reduce((/** @type {number} */ rest, part) => rest - (part ?? 0), whole);
}
