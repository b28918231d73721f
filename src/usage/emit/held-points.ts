import type { Counter, Histogram, Meter, MetricAttributes } from '@opentelemetry/api';
import { quietly } from '../../call/quietly.ts';

/** Points held at one time; then they are recorded, a quarter of a millisecond's work. */
const HELD_MAX = 256;

/** Records one value. */
export type Point = (value: number, attributes: MetricAttributes) => void;

/** Values of one series since the last collection. */
type Series = { readonly values: number[] } | { sum: number };

/**
 * Values wait here until metrics are collected: the SDK needs a microsecond a point to find its series,
 * several out of warm caches, and a counter needs only their sum. Series are told by the object that
 * holds their attributes. The first value of a series goes on at once, so that the SDK dates its
 * beginning right.
 */
export class HeldPoints {
  readonly #instruments: { readonly series: Map<MetricAttributes, Series>; readonly add: Point }[] =
    [];
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
    return this.#holding((value, attributes) => counter.add(value, attributes), 'sum');
  }

  histogram(histogram: Histogram): Point {
    return this.#holding((value, attributes) => histogram.record(value, attributes), 'each');
  }

  #handOn(): void {
    this.#held = 0;
    for (const { series, add } of this.#instruments) {
      for (const [attributes, waiting] of series) {
        if ('values' in waiting) for (const value of waiting.values) add(value, attributes);
        else if (waiting.sum !== 0) add(waiting.sum, attributes);
      }
      series.clear();
    }
  }

  #holding(add: Point, kept: 'sum' | 'each'): Point {
    if (!this.#holds) return add;
    const series = new Map<MetricAttributes, Series>();
    this.#instruments.push({ series, add });
    return (value, attributes) => {
      const waiting = series.get(attributes);
      if (waiting === undefined) {
        series.set(attributes, kept === 'sum' ? { sum: 0 } : { values: [] });
        add(value, attributes);
      } else if ('values' in waiting) waiting.values.push(value);
      else waiting.sum += value;
      this.#held += 1;
      if (this.#held >= HELD_MAX) this.#handOn();
    };
  }
}
