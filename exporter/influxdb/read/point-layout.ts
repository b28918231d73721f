import type { UsageAttributeValue } from '../../../src/domain/usage-record.ts';
import type { InfluxValue } from './query-client.ts';
import type { StoredPoint } from './stored-point.ts';

/**
 * Which columns are tags. A server numbers a column whose name is taken (`region`, `region_1`), so a name alone says
 * neither what a column holds nor whether it is a tag: the query asks for all fields first, which keep their names,
 * then for all tags.
 */
export class PointLayout {
  readonly #columns: readonly string[];
  /** Name of each column that is a tag. */
  readonly #tags = new Map<number, string>();

  /** `tagNames` in the order of their columns; one that came after the query was answered has none. */
  constructor(columns: readonly string[], tagNames: readonly string[]) {
    this.#columns = columns;
    let place = columns.length - 1;
    for (const tag of tagNames.toReversed()) {
      const column = columns[place] ?? '';
      const isNumbered = /^(_\d+)?$/.test(column.slice(tag.length));
      if (column.startsWith(tag) && isNumbered) this.#tags.set(place--, tag);
    }
  }

  point(row: readonly InfluxValue[]): StoredPoint {
    let time = '';
    const tags = new Map<string, string>();
    const fields = new Map<string, UsageAttributeValue>();
    for (const [place, column] of this.#columns.entries()) {
      const value = row[place] ?? null;
      const tag = this.#tags.get(place);
      // A tag that a series does not have reads ''.
      if (value === null || (tag !== undefined && value === '')) continue;
      if (tag !== undefined) tags.set(tag, String(value));
      else if (column === 'time') time = String(value);
      else fields.set(column, value);
    }
    return { time, tags, fields };
  }
}
