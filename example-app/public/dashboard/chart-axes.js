// @ts-check
import uPlot from '../uplot.js';
import { axisLabels } from './bucket-labels.js';
import { canvasColour } from './colours.js';

const FONT = '12px system-ui, "Noto Sans SC", sans-serif';
const LABEL_PX = 48;
/** Steps of an axis: whole numbers for calls, fractions for dollars. */
const STEPS = Array.from({ length: 26 }, (_, index) => index - 10).flatMap((power) =>
  [1, 2, 5].map((digit) => digit * 10 ** power),
);

/**
 * Axes: time at the bottom, values on the left.
 *
 * @param {HTMLElement} host
 * @param {() => import('./time-chart.js').ChartData | undefined} data what is shown at the time
 * @returns {uPlot.Axis[]}
 */
export function axesOptions(host, data) {
  const axis = {
    stroke: canvasColour(host, '--muted'),
    font: FONT,
    ticks: { show: false },
  };
  return [
    {
      ...axis,
      size: 28,
      space: 64,
      align: 1,
      grid: { show: false },
      values: (plot, splits, _, __, step) => {
        const { min = 0, max = 1 } = plot.scales['x'] ?? {};
        const roomS = ((max - min) / plot.bbox.width) * LABEL_PX * uPlot.pxRatio;
        return axisLabels(splits, step, { to: max, roomS });
      },
    },
    {
      ...axis,
      size: 58,
      gap: 6,
      space: 36,
      grid: { stroke: canvasColour(host, '--grid'), width: 1 },
      incrs: () => STEPS.filter((step) => !data()?.whole || step >= 1),
      values: (_, splits) => splits.map((value) => data()?.format(value) ?? ''),
    },
  ];
}
