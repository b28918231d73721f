import { cleanTag, escapeName } from './escaping.ts';
import { OTHER_USERS } from '../../usage-schema.ts';

/** Bounds how many users become a tag: each one is a series, and servers hold every series in memory. */
export class UserTags {
  readonly #max: number;
  readonly #escaped = new Map<string, string>();
  #day = '';

  /** `max`: different users a day (UTC); everybody beyond is `(other)`. */
  constructor(max: number) {
    this.#max = max;
  }

  /**
   * The escaped tag value of a user; `(other)` too for an id that no tag can hold as it is, so that
   * readers may take every other value for the id itself. `time`: RFC 3339, or its date.
   */
  value(userId: string, time: string): string {
    if (this.#day === '' || !time.startsWith(this.#day)) this.#beginDay(time.slice(0, 10));
    const known = this.#escaped.get(userId);
    if (known !== undefined) return known;
    if (this.#escaped.size >= this.#max) return OTHER_USERS;
    const escaped = cleanTag(userId) === userId ? escapeName(userId) : OTHER_USERS;
    this.#escaped.set(userId, escaped);
    return escaped;
  }

  /** A late record of an earlier day counts as one of today. */
  #beginDay(day: string): void {
    if (day <= this.#day) return;
    this.#day = day;
    this.#escaped.clear();
  }
}
