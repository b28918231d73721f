import { cleanTag, escapeName } from './escaping.ts';
import { OTHER_VALUES } from '../../usage-schema.ts';

/**
 * One tag whose number of values is bounded: each value of a user, team or dimension is a series, and
 * servers hold every series in memory.
 */
export class BoundedTag {
  #max: number;
  readonly #now: () => number;
  readonly #escaped = new Map<string, string>();
  #day = NaN;

  /** `max`: different values a day (UTC, by the clock: records may have any time); all others are `(other)`. */
  constructor(max: number, now: () => number = Date.now) {
    this.#max = max;
    this.#now = now;
  }

  /**
   * The escaped tag value; `(other)` too for one that no tag can hold as it is, so that readers may take
   * every other value for the exact one.
   */
  value(exact: string): string {
    const day = Math.floor(this.#now() / 86_400_000);
    if (day !== this.#day) this.#beginDay(day);
    const known = this.#escaped.get(exact);
    if (known !== undefined) return known;
    if (this.#escaped.size >= this.#max) return OTHER_VALUES;
    const escaped = cleanTag(exact) === exact ? escapeName(exact) : OTHER_VALUES;
    this.#escaped.set(exact, escaped);
    return escaped;
  }

  /**
   * The server refused this (escaped) value because it has as many as it takes: it and every new one are
   * `(other)` for good. The bound of a server counts every value it ever saw, ours those of a day and a process.
   */
  refused(value: string): void {
    this.#max = 0;
    for (const [exact, escaped] of this.#escaped) {
      if (escaped === value) this.#escaped.set(exact, OTHER_VALUES);
    }
  }

  #beginDay(day: number): void {
    this.#day = day;
    // Without room for new values, those that are known keep theirs.
    if (this.#max > 0) this.#escaped.clear();
  }
}
