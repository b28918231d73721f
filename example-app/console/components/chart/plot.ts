import uPlot from 'uplot';
import { axisLabels } from '../../view/bucket-labels.ts';
import { type ChartData, type Series, type Shape, bucketOf } from './chart-data.ts';
import { canvasColour } from './colours.ts';
import { drawGaps, drawNotes } from './marks.ts';

const FONT = '12px system-ui, "Noto Sans SC", sans-serif';
const LABEL_PX = 48;
/** Shorter drags are clicks. */
const MIN_DRAG_PX = 8;
/** Steps of an axis: whole numbers for calls, fractions for dollars. */
const STEPS = Array.from({ length: 26 }, (_, index) => index - 10).flatMap((power) =>
  [1, 2, 5].map((digit) => digit * 10 ** power),
);

export interface PlotOptions {
  readonly shape: Shape;
  /** The bucket under the pointer, or none. */
  readonly onPoint: (index: number | undefined) => void;
  /** A range was dragged. */
  readonly onSelect: (from: Date, to: Date) => void;
}

/** The canvas of a chart over time. */
export class Plot {
  readonly #host: HTMLElement;
  readonly #options: PlotOptions;
  #plot: uPlot | undefined;
  #data: ChartData | undefined;
  /** Series that the plot was created for; another set needs a new plot. */
  #made = '';

  constructor(host: HTMLElement, options: PlotOptions) {
    this.#host = host;
    this.#options = options;
  }

  show(data: ChartData): void {
    this.#data = data;
    const shape = JSON.stringify(data.series.map(({ key, name, colour }) => [key, name, colour]));
    if (this.#plot && this.#made === shape) {
      this.#plot.setData(plottedData(this.#options.shape, data));
    } else this.#make(data);
    this.#made = shape;
  }

  /** In other colours. */
  repaint(): void {
    this.#made = '';
    if (this.#data) this.show(this.#data);
  }

  /** Points at a bucket, or at none. */
  point(index: number | undefined): void {
    const place = index === undefined ? undefined : this.place(index);
    const left = place ? place.left - place.offset + place.width / 2 : -10;
    this.#plot?.setCursor({ left, top: place ? 10 : -10 });
  }

  /** Where a bucket is in the host, px. `offset`: of the plotted area. */
  place(
    index: number,
  ): { readonly left: number; readonly width: number; readonly offset: number } | undefined {
    const plot = this.#plot;
    if (!plot || !this.#data || index >= this.#data.period.starts.length) return undefined;
    const [start, end] = bucketOf(this.#data.period, index);
    const left = plot.valToPos(start / 1000, 'x');
    const offset = plot.over.offsetLeft;
    return { left: left + offset, width: plot.valToPos(end / 1000, 'x') - left, offset };
  }

  resize(): void {
    const { width, height } = this.#size();
    if (this.#plot && (this.#plot.width !== width || this.#plot.height !== height)) {
      this.#plot.setSize({ width, height });
    }
  }

  destroy(): void {
    this.#plot?.destroy();
  }

  #make(data: ChartData): void {
    this.#plot?.destroy();
    const { shape, onPoint } = this.#options;
    this.#plot = new uPlot(
      {
        ...this.#size(),
        padding: [8, 8, 0, 0],
        legend: { show: false },
        cursor: {
          x: false,
          y: false,
          points: { show: shape === 'lines', size: 7 },
          drag: { x: true, y: false, setScale: false, dist: MIN_DRAG_PX },
          dataIdx: (_, __, ___, x) => this.#bucketAt(x),
        },
        scales: {
          x: { time: true, range: () => this.#rangeX() },
          y: { range: (_, __, max) => [0, max > 0 ? max * 1.06 : 1] },
        },
        axes: axesOptions(this.#host, () => this.#data),
        series: [{}, ...seriesOptions(this.#host, shape, data.series)],
        hooks: {
          drawClear: [(plot) => drawGaps(plot, this.#host, this.#data?.gaps ?? [])],
          draw: [(plot) => drawNotes(plot, this.#host, this.#data?.notes ?? [])],
          setCursor: [
            (plot) => {
              const { left = -1 } = plot.cursor;
              onPoint(left < 0 ? undefined : this.#bucketAt(plot.posToVal(left, 'x')));
            },
          ],
          setSelect: [(plot) => this.#onSelect(plot)],
        },
      },
      plottedData(shape, data),
      this.#host,
    );
  }

  #rangeX(): [number, number] {
    const { starts, end } = this.#data!.period;
    return [(starts[0] ?? end - 1) / 1000, end / 1000];
  }

  /** A bar reaches from its start to the next. `time` in seconds. */
  #bucketAt(time: number): number {
    const { starts } = this.#data!.period;
    return Math.max(
      0,
      starts.findLastIndex((start) => start / 1000 <= time),
    );
  }

  #onSelect(plot: uPlot): void {
    const { left, width } = plot.select;
    if (width < MIN_DRAG_PX) return;
    const [from, to] = [left, left + width].map((at) => new Date(plot.posToVal(at, 'x') * 1000));
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    if (from && to) this.#options.onSelect(from, to);
  }

  #size(): { readonly width: number; readonly height: number } {
    return { width: Math.max(120, this.#host.clientWidth), height: this.#host.clientHeight };
  }
}

/** Axes: time at the bottom, values on the left. `data`: what is shown at the time. */
function axesOptions(host: HTMLElement, data: () => ChartData | undefined): uPlot.Axis[] {
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

/** All stacked bars start at 0, so the longest is drawn first. */
function inDrawnOrder<T>(shape: Shape, series: readonly T[]): readonly T[] {
  return shape === 'bars' ? series.toReversed() : series;
}

/** Without the x series. */
function seriesOptions(
  host: HTMLElement,
  shape: Shape,
  series: readonly Series[],
): readonly uPlot.Series[] {
  return inDrawnOrder(shape, series).map(({ colour, dash }) => {
    const fill = canvasColour(host, colour);
    if (shape === 'bars') {
      return {
        fill,
        width: 0,
        points: { show: false },
        paths: uPlot.paths.bars!({ size: [0.82, 44], align: 1 }),
      };
    }
    const points = { show: true, size: 5, fill, filter: lonely };
    return { stroke: fill, width: 2, points, ...(dash && { dash: [...dash] }) };
  });
}

/** Bars start at their bucket and are stacked; points are centred in it. */
function plottedData(shape: Shape, { period, series }: ChartData): uPlot.AlignedData {
  const bars = shape === 'bars';
  const times = period.starts.map((start, index) => {
    const [, end] = bucketOf(period, index);
    return bars ? start / 1000 : (start + end) / 2000;
  });
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

/** A value between two unknown ones has no line, so it gets a point. */
function lonely(plot: uPlot, series: number): number[] {
  const values = plot.data[series] ?? [];
  return Array.from(values.keys()).filter(
    (index) => values[index] != null && values[index - 1] == null && values[index + 1] == null,
  );
}
