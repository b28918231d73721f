// @ts-check
import { find } from '../dom.js';
import uPlot from '../uplot.js';
import { bucketLabel } from './bucket-labels.js';
import { axesOptions } from './chart-axes.js';
import { plottedData, seriesOptions } from './chart-series.js';
import { ChartTable } from './chart-table.js';
import { ChartTooltip } from './chart-tooltip.js';
import { drawGaps } from './gap-marks.js';

/**
 * One value per bucket; undefined if unknown.
 *
 * @typedef {{
 *   key: string,
 *   name: string,
 *   colour: string,
 *   dash?: readonly number[],
 *   values: readonly (number | undefined)[],
 * }} Series `colour`: the name of a custom property.
 * @typedef {{
 *   period: import('./period.js').Period,
 *   series: readonly Series[],
 *   gaps: readonly import('./statistics-gaps.js').Gap[],
 *   format: (value: number | undefined) => string,
 *   whole?: boolean,
 * }} ChartData `whole`: whole numbers only.
 * @typedef {{
 *   name: string,
 *   shape: 'bars' | 'lines',
 *   onSelect: (from: Date, to: Date) => void,
 * }} ChartOptions `bars` are stacked; `onSelect`: a range was dragged.
 */

/** Shorter drags are clicks. */
const MIN_DRAG_PX = 8;

/** A chart over time, whose values can be read by pointer, arrow keys and a table. */
export class TimeChart {
  #host;
  #options;
  #tooltip;
  #table;
  /** @type {uPlot | undefined} */
  #plot;
  /** @type {ChartData | undefined} */
  #data;
  /** Series that the plot was created for; another set needs a new plot. */
  #made = '';

  /**
   * @param {HTMLElement} panel with a `.chart`, whose height is the chart's, and a `.chart-table`
   * @param {ChartOptions} options
   */
  constructor(panel, options) {
    const host = find('.chart', HTMLElement, panel);
    this.#host = host;
    this.#options = options;
    this.#tooltip = new ChartTooltip(host, options.name);
    this.#table = new ChartTable(find('.chart-table', HTMLDetailsElement, panel), options.name);
    host.addEventListener('keydown', (event) => this.#onKey(event));
    host.addEventListener('blur', () => this.#point(undefined));
    new ResizeObserver(() => this.#resize()).observe(host);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      this.#made = '';
      if (this.#data) this.show(this.#data);
    });
  }

  /** @param {ChartData} data */
  show(data) {
    this.#data = data;
    const shape = JSON.stringify(data.series.map(({ key, name, colour }) => [key, name, colour]));
    if (this.#plot && this.#made === shape)
      this.#plot.setData(plottedData(this.#options.shape, data));
    else this.#make(data);
    this.#made = shape;
    this.#tooltip.show(this.#bucket(this.#pointed()));
    this.#table.show(data);
  }

  /** @param {ChartData} data */
  #make(data) {
    this.#plot?.destroy();
    const { width, height } = this.#size();
    this.#plot = new uPlot(
      {
        width,
        height,
        padding: [8, 8, 0, 0],
        legend: { show: false },
        cursor: {
          x: false,
          y: false,
          points: { show: this.#options.shape === 'lines', size: 7 },
          drag: { x: true, y: false, setScale: false, dist: MIN_DRAG_PX },
          dataIdx: (_, __, ___, x) => this.#bucketAt(x),
        },
        scales: {
          x: { time: true, range: () => this.#rangeX() },
          y: { range: (_, __, max) => [0, max > 0 ? max * 1.06 : 1] },
        },
        axes: axesOptions(this.#host, () => this.#data),
        series: [{}, ...seriesOptions(this.#host, this.#options.shape, data.series)],
        hooks: {
          drawClear: [(plot) => drawGaps(plot, this.#host, this.#data?.gaps ?? [])],
          setCursor: [() => this.#tooltip.show(this.#bucket(this.#pointed()))],
          setSelect: [(plot) => this.#onSelect(plot)],
        },
      },
      plottedData(this.#options.shape, data),
      this.#host,
    );
  }

  /** @returns {[number, number]} */
  #rangeX() {
    const { starts, end } = /** @type {ChartData} */ (this.#data).period;
    return [(starts[0] ?? end - 1) / 1000, end / 1000];
  }

  /** A bar reaches from its start to the next. @param {number} time s */
  #bucketAt(time) {
    const { starts } = /** @type {ChartData} */ (this.#data).period;
    return Math.max(
      0,
      starts.findLastIndex((start) => start / 1000 <= time),
    );
  }

  /** The bucket under the pointer, or selected with arrow keys. */
  #pointed() {
    const left = this.#plot?.cursor.left ?? -1;
    if (!this.#plot || left < 0) return undefined;
    return this.#bucketAt(this.#plot.posToVal(left, 'x'));
  }

  /** @param {number | undefined} index */
  #bucket(index) {
    const { period, series, gaps, format } = this.#data ?? {};
    const start = period?.starts[index ?? -1];
    if (!this.#plot || !period || !series || !format || start === undefined) return undefined;
    const end = period.starts[/** @type {number} */ (index) + 1] ?? period.end;
    const left = this.#plot.valToPos(start / 1000, 'x');
    return {
      plot: this.#plot,
      left,
      width: this.#plot.valToPos(end / 1000, 'x') - left,
      label: bucketLabel(start, period.unit),
      total: this.#options.shape === 'bars' && series.length > 1,
      gaps: (gaps ?? []).filter((gap) => gap.from < end && gap.to > start),
      rows: series.map(({ name, colour, values }) => ({
        name,
        colour,
        value: values[/** @type {number} */ (index)],
      })),
      format,
      position: /** @type {const} */ ([/** @type {number} */ (index), period.starts.length]),
    };
  }

  /** @param {uPlot} plot */
  #onSelect(plot) {
    const { left, width } = plot.select;
    if (width < MIN_DRAG_PX) return;
    const [from, to] = [left, left + width].map((at) => new Date(plot.posToVal(at, 'x') * 1000));
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    if (from && to) this.#options.onSelect(from, to);
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const last = (this.#data?.period.starts.length ?? 0) - 1;
    const at = this.#pointed();
    /** @type {Readonly<Record<string, number | undefined>>} */
    const moves = {
      ArrowLeft: at === undefined ? last : Math.max(0, at - 1),
      ArrowRight: at === undefined ? 0 : Math.min(last, at + 1),
      Home: 0,
      End: last,
    };
    if (event.key === 'Escape') return this.#point(undefined);
    const next = moves[event.key];
    if (next === undefined || last < 0) return;
    event.preventDefault();
    this.#point(next);
  }

  /** @param {number | undefined} index */
  #point(index) {
    const bucket = this.#bucket(index);
    const left = bucket ? bucket.left + bucket.width / 2 : -10;
    this.#plot?.setCursor({ left, top: bucket ? 10 : -10 });
  }

  #size() {
    return { width: Math.max(120, this.#host.clientWidth), height: this.#host.clientHeight };
  }

  #resize() {
    const { width, height } = this.#size();
    if (this.#plot && (this.#plot.width !== width || this.#plot.height !== height)) {
      this.#plot.setSize({ width, height });
    }
  }
}
