import type { Counter, Histogram, Meter, MetricAttributes } from '@opentelemetry/api';
import { quietly } from '../../host/quietly.ts';

/** Points held at one time; then they are recorded, a quarter of a millisecond's work. */
const HELD_MAX = 256;

/** Records one value. */
export type Point = (value: number, attributes: MetricAttributes) => void;

interface HeldInstrument {
  readonly add: Point;
  /** What waits of each series begun since the last collection. */
  readonly series: Map<MetricAttributes, number[]>;
}

/**
 * Values wait here until metrics are collected: the SDK needs a microsecond a point to find its series,
 * several out of warm caches, and a counter needs only their sum. Series are told by the object that
 * holds their attributes. The first value of a series goes on at once, so that the SDK dates its
 * beginning right.
 */
export class HeldPoints {
  readonly #instruments: HeldInstrument[] = [];
  readonly #holds: boolean;
  #held = 0;

  /** Of a meter without observables nothing is held: it could not tell of a collection. */
  constructor(meter: Meter) {
    this.#holds =
      quietly('watching for collections', () => {
        if (typeof (meter as Partial<Meter>).createObservableGauge !== 'function') return false;
        meter
          .createObservableGauge('token_meter.held_points', {
            description: 'Has no values: it is how points that wait learn of a collection',
          })
          .addCallback(() => this.#handOn());
        return true;
      }) ?? false;
  }

  counter(counter: Counter): Point {
    return this.#holding((value, attributes) => counter.add(value, attributes), true);
  }

  histogram(histogram: Histogram): Point {
    return this.#holding((value, attributes) => histogram.record(value, attributes), false);
  }

  #handOn(): void {
    this.#held = 0;
    for (const { series, add } of this.#instruments) {
      for (const [attributes, waiting] of series) {
        for (const value of waiting) add(value, attributes);
      }
      series.clear();
    }
  }

  #holding(add: Point, summed: boolean): Point {
    if (!this.#holds) return add;
    const series = new Map<MetricAttributes, number[]>();
    this.#instruments.push({ add, series });
    return (value, attributes) => {
      const waiting = series.get(attributes);
      if (waiting === undefined) {
        series.set(attributes, []);
        add(value, attributes);
      } else if (summed && waiting[0] !== undefined) waiting[0] += value;
      else waiting.push(value);
      this.#held += 1;
      if (this.#held >= HELD_MAX) this.#handOn();
    };
  }
}
