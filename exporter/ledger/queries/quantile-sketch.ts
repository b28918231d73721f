/** Neighbouring bins differ by 2 %, so that the middle of a bin is within 1 % of all it holds. */
const BIN_RATIO = 1.02;
export const LOG_RATIO: number = Math.log(BIN_RATIO);
/** Below this (a microsecond, in ms) values count as this. */
export const SMALLEST = 0.001;

export function binOf(value: number): number {
  return Math.floor(Math.log(Math.max(value, SMALLEST)) / LOG_RATIO);
}

/** Percentiles of any number of values in bounded memory (about 1000 bins up to a day), within 1 %. */
export class QuantileSketch {
  readonly #bins = new Map<number, number>();
  #count = 0;

  addBin(bin: number, count: number): void {
    this.#bins.set(bin, (this.#bins.get(bin) ?? 0) + count);
    this.#count += count;
  }

  merge(other: QuantileSketch): void {
    for (const [bin, count] of other.#bins) this.addBin(bin, count);
  }

  /** Nearest rank as InfluxQL's percentile() has it; undefined without values. */
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
