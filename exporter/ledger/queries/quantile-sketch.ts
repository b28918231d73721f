/** Adjacent bins differ by 2 %, so the middle of a bin is within 1 % of its values. */
const BIN_RATIO = 1.02;
export const LOG_RATIO: number = Math.log(BIN_RATIO);
/** Smallest value in ms. Lower values are counted as this one. */
export const SMALLEST = 0.001;

export function binOf(value: number): number {
  return Math.floor(Math.log(Math.max(value, SMALLEST)) / LOG_RATIO);
}

/** Percentiles within 1 %, in bounded memory: about 1000 bins for durations up to a day. */
export class QuantileSketch {
  readonly #bins = new Map<number, number>();
  #count = 0;

  addBin(bin: number, count: number): void {
    this.#bins.set(bin, (this.#bins.get(bin) ?? 0) + count);
    this.#count += count;
  }

  /** Number of each bin, then its count. */
  get bins(): Iterable<readonly [bin: number, count: number]> {
    return this.#bins;
  }

  merge(other: QuantileSketch): void {
    for (const [bin, count] of other.#bins) this.addBin(bin, count);
  }

  /** Nearest rank, like InfluxQL's percentile(); `undefined` without values. */
  percentile(percent: number): number | undefined {
    if (this.#count === 0) return undefined;
    let rank = Math.max(1, Math.floor((this.#count * percent) / 100 + 0.5));
    const bins = [...this.#bins].toSorted(([a], [b]) => a - b);
    for (const [bin, count] of bins) {
      rank -= count;
      if (rank <= 0) return Math.exp((bin + 0.5) * LOG_RATIO);
    }
    return undefined;
  }
}
