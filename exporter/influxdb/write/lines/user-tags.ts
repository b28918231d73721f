import { cleanTag, escapeName } from './escaping.ts';
import { OTHER_USERS } from '../../usage-schema.ts';

/** Bounds how many users become a tag: each one is a series, and servers hold every series in memory. */
export class UserTags {
  #max: number;
  readonly #now: () => number;
  readonly #escaped = new Map<string, string>();
  #day = NaN;

  /** `max`: different users a day (UTC, by the clock: records may have any time); all others are `(other)`. */
  constructor(max: number, now: () => number = Date.now) {
    this.#max = max;
    this.#now = now;
  }

  /**
   * The escaped tag value of a user; `(other)` too for an id that no tag can hold as it is, so that
   * readers may take every other value for the id itself.
   */
  value(userId: string): string {
    const day = Math.floor(this.#now() / 86_400_000);
    if (day !== this.#day) this.#beginDay(day);
    const known = this.#escaped.get(userId);
    if (known !== undefined) return known;
    if (this.#escaped.size >= this.#max) return OTHER_USERS;
    const escaped = cleanTag(userId) === userId ? escapeName(userId) : OTHER_USERS;
    this.#escaped.set(userId, escaped);
    return escaped;
  }

  /**
   * The server refused this (escaped) value because it has as many as it takes: it and every new user are
   * `(other)` for good. The bound of a server counts every user it ever saw, ours those of a day and a process.
   */
  refused(value: string): void {
    this.#max = 0;
    for (const [userId, escaped] of this.#escaped) {
      if (escaped === value) this.#escaped.set(userId, OTHER_USERS);
    }
  }

  #beginDay(day: number): void {
    this.#day = day;
    // Without room for new users, those that are known keep theirs.
    if (this.#max > 0) this.#escaped.clear();
  }
}
