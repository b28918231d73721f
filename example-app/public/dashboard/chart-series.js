// @ts-check
import uPlot from '../uplot.js';
import { canvasColour } from './colours.js';

/**
 * @typedef {import('./time-chart.js').Series} Series
 * @typedef {'bars' | 'lines'} Shape
 */

/**
 * All stacked bars start at 0, so the longest is drawn first.
 *
 * @template T
 * @param {Shape} shape
 * @param {readonly T[]} series
 */
function inDrawnOrder(shape, series) {
  return shape === 'bars' ? series.toReversed() : series;
}

/**
 * uPlot options of the series, without its x series.
 *
 * @param {HTMLElement} host
 * @param {Shape} shape
 * @param {readonly Series[]} series
 * @returns {uPlot.Series[]}
 */
export function seriesOptions(host, shape, series) {
  const bars = /** @type {uPlot.Series.BarsPathBuilderFactory} */ (uPlot.paths.bars);
  return inDrawnOrder(shape, series).map(({ colour, dash }) => {
    const fill = canvasColour(host, colour);
    if (shape === 'bars') {
      return {
        fill,
        width: 0,
        points: { show: false },
        paths: bars({ size: [0.82, 44], align: 1 }),
      };
    }
    const points = { show: true, size: 5, fill, filter: lonely };
    return { stroke: fill, width: 2, points, ...(dash && { dash: [...dash] }) };
  });
}

/**
 * Bars start at their bucket and are stacked; points are centred in it.
 *
 * @param {Shape} shape
 * @param {import('./time-chart.js').ChartData} data
 * @returns {uPlot.AlignedData}
 */
export function plottedData(shape, { period, series }) {
  const ends = [...period.starts.slice(1), period.end];
  const bars = shape === 'bars';
  const times = period.starts.map((start, index) =>
    bars ? start / 1000 : (start + (ends[index] ?? start)) / 2000,
  );
  const sums = times.map(() => 0);
  const columns = series.map(({ values }) =>
    times.map((_, index) => {
      const value = values[index];
      if (!bars) return value ?? null;
      return (sums[index] = (sums[index] ?? 0) + (value ?? 0));
    }),
  );
  return [times, ...inDrawnOrder(shape, columns)];
}

/**
 * A value between two unknown ones has no line, so it gets a point.
 *
 * @param {uPlot} plot
 * @param {number} series
 */
function lonely(plot, series) {
  const values = plot.data[series] ?? [];
  return Array.from(values.keys()).filter(
    (index) => values[index] != null && values[index - 1] == null && values[index + 1] == null,
  );
}
