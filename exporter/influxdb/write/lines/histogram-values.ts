import type { ExponentialHistogram, Histogram } from '@opentelemetry/sdk-metrics';

/** Bucket index to count; sparse, because indexes of one histogram may lie far apart. */
type Buckets = Map<number, number>;

interface HistogramSums {
  count: number;
  sum: number | undefined;
  min: number | undefined;
  max: number | undefined;
}

export interface ExplicitSums extends HistogramSums {
  /** Counts by bucket, and their upper bounds; undefined when histograms of unlike bounds were added. */
  counts: number[];
  boundaries: readonly number[] | undefined;
}

export interface ExponentialSums extends HistogramSums {
  scale: number;
  zeroCount: number;
  positive: Buckets;
  negative: Buckets;
}

export function explicitSums({ buckets, count, sum, min, max }: Histogram): ExplicitSums {
  return { count, sum, min, max, counts: [...buckets.counts], boundaries: buckets.boundaries };
}

export function exponentialSums(value: ExponentialHistogram): ExponentialSums {
  const { count, sum, min, max, scale, zeroCount, positive, negative } = value;
  return {
    count,
    sum,
    min,
    max,
    scale,
    zeroCount,
    positive: bucketsOf(positive),
    negative: bucketsOf(negative),
  };
}

function bucketsOf(side: { offset: number; bucketCounts: number[] }): Buckets {
  const buckets: Buckets = new Map();
  for (const [i, count] of side.bucketCounts.entries()) {
    if (count !== 0) buckets.set(side.offset + i, count);
  }
  return buckets;
}

/** `sign` -1 takes the earlier state of a cumulative series away. */
function combine(into: HistogramSums, other: HistogramSums, sign: 1 | -1): void {
  into.count += sign * other.count;
  if (into.sum !== undefined) {
    into.sum = other.sum === undefined ? undefined : into.sum + sign * other.sum;
  }
  if (sign === -1) {
    // Those of one interval cannot be known from two totals.
    into.min = undefined;
    into.max = undefined;
    return;
  }
  if (other.min !== undefined) into.min = Math.min(into.min ?? other.min, other.min);
  if (other.max !== undefined) into.max = Math.max(into.max ?? other.max, other.max);
}

export function combineExplicit(into: ExplicitSums, other: ExplicitSums, sign: 1 | -1 = 1): void {
  combine(into, other, sign);
  const { boundaries } = into;
  const same =
    boundaries?.length === other.boundaries?.length &&
    boundaries?.every((bound, i) => bound === other.boundaries?.[i]) === true;
  if (!same) into.boundaries = undefined;
  else into.counts = into.counts.map((count, i) => count + sign * (other.counts[i] ?? 0));
}

export function combineExponential(
  into: ExponentialSums,
  other: ExponentialSums,
  sign: 1 | -1 = 1,
): void {
  combine(into, other, sign);
  into.zeroCount += sign * other.zeroCount;
  const scale = Math.min(into.scale, other.scale);
  for (const side of ['positive', 'negative'] as const) {
    const buckets = coarser(into[side], into.scale - scale);
    for (const [index, count] of coarser(other[side], other.scale - scale)) {
      buckets.set(index, (buckets.get(index) ?? 0) + sign * count);
    }
    into[side] = buckets;
  }
  into.scale = scale;
}

/** One scale less joins buckets in pairs. */
function coarser(buckets: Buckets, steps: number): Buckets {
  if (steps === 0) return new Map(buckets);
  const joined: Buckets = new Map();
  for (const [index, count] of buckets) {
    const to = Math.floor(index / 2 ** steps);
    joined.set(to, (joined.get(to) ?? 0) + count);
  }
  return joined;
}

/** Nearest rank; the geometric middle of its bucket, within the least and the greatest value. */
export function exponentialQuantile(sums: ExponentialSums, quantile: number): number | undefined {
  if (sums.count === 0) return undefined;
  let rank = Math.max(1, Math.ceil(quantile * sums.count));
  const middle = (index: number): number => 2 ** ((index + 0.5) * 2 ** -sums.scale);
  const within = (value: number): number =>
    Math.min(sums.max ?? Infinity, Math.max(sums.min ?? -Infinity, value));
  const byIndex = (buckets: Buckets, order: 1 | -1): [number, number][] =>
    [...buckets].toSorted(([a], [b]) => order * (a - b));
  for (const [index, count] of byIndex(sums.negative, -1)) {
    if ((rank -= count) <= 0) return within(-middle(index));
  }
  if ((rank -= sums.zeroCount) <= 0) return within(0);
  for (const [index, count] of byIndex(sums.positive, 1)) {
    if ((rank -= count) <= 0) return within(middle(index));
  }
  return sums.max;
}
