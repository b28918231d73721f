import { ValueType } from '@opentelemetry/api';
import type {
  ExponentialHistogram,
  Histogram,
  MetricData,
  DataPoint,
} from '@opentelemetry/sdk-metrics';
import type { FieldWriter } from './field-writer.ts';
import {
  combineExplicit,
  combineExponential,
  explicitSums,
  exponentialQuantile,
  exponentialSums,
  type ExplicitSums,
  type ExponentialSums,
} from './histogram-values.ts';

/** Values of sdk-metrics' DataPointType and AggregationTemporality, which its types do not carry. */
const HISTOGRAM = 0;
const EXPONENTIAL_HISTOGRAM = 1;
const GAUGE = 2;
const CUMULATIVE = 1;

/** The value of one series in one collection, in a form that can be added up. */
export type MetricPoint =
  | { readonly kind: 'sum' | 'level'; value: number; isInteger: boolean }
  | { readonly kind: 'explicit'; readonly sums: ExplicitSums; isInteger: boolean }
  | { readonly kind: 'exponential'; readonly sums: ExponentialSums; isInteger: boolean };

export function isCumulative(metric: MetricData): boolean {
  return Number(metric.aggregationTemporality) === CUMULATIVE;
}

export function metricPoint(metric: MetricData, { value }: DataPoint<unknown>): MetricPoint {
  // By the instrument, not by the value: a field that changes its type is refused by the server.
  const isInteger = metric.descriptor.valueType === ValueType.INT;
  const type = Number(metric.dataPointType);
  if (type === HISTOGRAM) {
    return { kind: 'explicit', sums: explicitSums(value as Histogram), isInteger };
  }
  if (type === EXPONENTIAL_HISTOGRAM) {
    const sums = exponentialSums(value as ExponentialHistogram);
    return { kind: 'exponential', sums, isInteger };
  }
  // What goes up and down is told as where it stands, unless the source counts changes.
  const isLevel =
    type === GAUGE ||
    (isCumulative(metric) && 'isMonotonic' in metric && metric.isMonotonic === false);
  return { kind: isLevel ? 'level' : 'sum', value: value as number, isInteger };
}

/** Adds a series that is the same one as text: writing both would keep only the second. */
export function mergePoint(into: MetricPoint, other: MetricPoint): void {
  into.isInteger &&= other.isInteger;
  if (into.kind === 'explicit' && other.kind === 'explicit') combineExplicit(into.sums, other.sums);
  else if (into.kind === 'exponential' && other.kind === 'exponential') {
    combineExponential(into.sums, other.sums);
  } else if ('value' in into && 'value' in other) into.value += other.value;
}

/** What was added since `earlier`; the point itself when the series began anew. */
export function pointSince(point: MetricPoint, earlier: MetricPoint): MetricPoint {
  if (point.kind === 'sum' && earlier.kind === 'sum') {
    return point.value < earlier.value ? point : { ...point, value: point.value - earlier.value };
  }
  if (point.kind === 'explicit' && earlier.kind === 'explicit') {
    if (point.sums.count < earlier.sums.count) return point;
    const sums = { ...point.sums };
    combineExplicit(sums, earlier.sums, -1);
    return { ...point, sums };
  }
  if (point.kind === 'exponential' && earlier.kind === 'exponential') {
    if (point.sums.count < earlier.sums.count) return point;
    const sums = { ...point.sums };
    combineExponential(sums, earlier.sums, -1);
    return { ...point, sums };
  }
  return point;
}

/** Writes the fields of a line, each with a comma before it, as far as there are any. */
export function writeFields(point: MetricPoint, fields: FieldWriter): void {
  const number = (lead: string, value: number | undefined): void =>
    point.isInteger ? fields.integer(lead, value) : fields.float(lead, value);
  if ('value' in point) return number(',value=', point.value);
  const { sums } = point;
  fields.integer(',count=', sums.count);
  number(',sum=', sums.sum);
  number(',min=', sums.min);
  number(',max=', sums.max);
  if (point.kind === 'explicit') return writeBuckets(point.sums, fields);
  fields.float(',p50=', exponentialQuantile(point.sums, 0.5));
  fields.float(',p95=', exponentialQuantile(point.sums, 0.95));
  fields.float(',p99=', exponentialQuantile(point.sums, 0.99));
}

function writeBuckets({ boundaries = [], counts }: ExplicitSums, fields: FieldWriter): void {
  let below = 0;
  for (const [i, bound] of boundaries.entries()) {
    below += counts[i] ?? 0;
    fields.integer(`,le_${bound}=`, below);
  }
}
