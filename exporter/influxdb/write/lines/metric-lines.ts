import { randomInt } from 'node:crypto';
import type { HrTime } from '@opentelemetry/api';
import type { ResourceMetrics } from '@opentelemetry/sdk-metrics';
import { escapeMeasurement } from './escaping.ts';
import { FieldWriter } from './field-writer.ts';
import { LineBuffer } from './line-buffer.ts';
import {
  isCumulative,
  mergePoint,
  metricPoint,
  pointSince,
  writeFields,
  type MetricPoint,
} from './metric-point.ts';
import { MetricTags } from './metric-tags.ts';
import { BoundedTag } from './bounded-tag.ts';

export interface MetricLinesOptions {
  readonly tags: Readonly<Record<string, string>>;
  readonly maxUserTags: number;
  /** Told of every value that is left out while its series goes on. */
  readonly onCleaned: (reason: string) => void;
  /** Told of every series of which nothing could be written. */
  readonly onUnwritable: () => void;
}

interface Series {
  readonly point: MetricPoint;
  readonly endTime: HrTime;
}

interface Earlier {
  readonly point: MetricPoint;
  readonly startTime: HrTime;
  readonly collection: number;
}

const NANOSECOND_DIGITS = 1_000_000;

/** Writes a collection of metrics as lines: measurement is the metric's name with `_` for `.`. */
export class MetricLineWriter {
  readonly #options: MetricLinesOptions;
  readonly #tags: MetricTags;
  readonly #line = new LineBuffer();
  readonly #fields: FieldWriter;
  /** Last state of cumulative series, by metric and attributes. */
  readonly #earlier = new Map<string, Earlier>();
  /** Digits below the millisecond: a random start apart for each process, one more for each collection. */
  #collection: number = randomInt(NANOSECOND_DIGITS);

  constructor(options: MetricLinesOptions) {
    this.#options = options;
    this.#tags = new MetricTags(options.tags, new BoundedTag(options.maxUserTags));
    this.#fields = new FieldWriter(this.#line, options.onCleaned);
  }

  /** Lines without line breaks; each is good until the next is asked for. */
  *lines({ resource, scopeMetrics }: ResourceMetrics): Generator<LineBuffer> {
    this.#collection = (this.#collection + 1) % NANOSECOND_DIGITS;
    const shared = this.#tags.ofResource(resource.attributes);
    const all = new Map<string, Series>();
    for (const { scope, metrics } of scopeMetrics) {
      for (const metric of metrics) {
        const { name } = metric.descriptor;
        const measurement = escapeMeasurement(name.replaceAll('.', '_'));
        const cumulative = isCumulative(metric);
        for (const data of metric.dataPoints) {
          const { attributes, startTime, endTime } = data;
          let point = metricPoint(metric, data);
          if (cumulative && point.kind !== 'level') {
            const series = JSON.stringify([scope.name, name, attributes]);
            point = this.#sinceLast(series, startTime, point);
          }
          const key = measurement + this.#tags.ofPoint(shared, attributes);
          const known = all.get(key);
          if (known === undefined) all.set(key, { point, endTime });
          else mergePoint(known.point, point);
        }
      }
    }
    this.#forgetGone();
    for (const [key, series] of all) {
      if (this.#write(key, series)) yield this.#line;
      else this.#options.onUnwritable();
    }
  }

  /** False for a series without a field. */
  #write(key: string, { point, endTime }: Series): boolean {
    const line = this.#line;
    line.clear();
    line.text(key);
    const { length } = line;
    writeFields(point, this.#fields);
    if (line.length === length) return false;
    line.spaceForComma(length);
    line.text(' ');
    line.text(this.#nanoseconds(endTime));
    return true;
  }

  /** What is added up over an interval is what InfluxDB can sum; totals need resets to be known. */
  #sinceLast(series: string, startTime: HrTime, point: MetricPoint): MetricPoint {
    const earlier = this.#earlier.get(series);
    this.#earlier.set(series, { point, startTime, collection: this.#collection });
    if (earlier === undefined) return structuredClone(point);
    const [seconds, nanoseconds] = earlier.startTime;
    const restarted = seconds !== startTime[0] || nanoseconds !== startTime[1];
    return structuredClone(restarted ? point : pointSince(point, earlier.point));
  }

  /** Cumulative sources tell every series each time: one that is missing is gone. */
  #forgetGone(): void {
    for (const [series, { collection }] of this.#earlier) {
      if (collection !== this.#collection) this.#earlier.delete(series);
    }
  }

  #nanoseconds([seconds, nanoseconds]: HrTime): string {
    const ms = String(Math.floor(nanoseconds / 1e6)).padStart(3, '0');
    return `${seconds}${ms}${String(this.#collection).padStart(6, '0')}`;
  }
}
