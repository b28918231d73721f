import { name } from '../read/influxql.ts';

/**
 * Roll-ups in InfluxDB. One point holds all sums of an hour or a day (UTC), at its start and without tags: it is
 * written, overwritten and read as a whole, so a crash leaves the old one or the new one.
 */
export const HOURS_MEASUREMENT = 'llm_usage_rollup_hours';
export const DAYS_MEASUREMENT = 'llm_usage_rollup_days';
/**
 * A point in an hour says that calls of the hour were written, changed or deleted after its end. Marks are only
 * ever added. A roll-up says how many it knows: with more of them it no longer counts.
 */
export const MARKS_MEASUREMENT = 'llm_usage_rollup_marks';
/** Which process makes roll-ups. */
export const LEASE_MEASUREMENT = 'llm_usage_rollup_lease';
/** Since when calls are kept, where roll-ups stay longer. */
export const KEPT_MEASUREMENT = 'llm_usage_rollup_kept';

/** A roll-up of another version is one that does not exist, */
export const ROLL_UP_VERSION = 2;
/** but for this one, which has no units: it is right where no call has any. */
export const VERSION_WITHOUT_UNITS = 1;

export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

/** A call that is written so long after the end of its hour marks it. */
export const LATE_MS = 300_000;
/**
 * An hour is summed up so long after its end, and after its last mark: later than `LATE_MS` by more than a write
 * may take and clocks may differ.
 */
export const SETTLE_MS = 900_000;

/** Tables of a roll-up: a field each, continued in `cells_1` and so on. */
export const TABLES = ['cells', 'sketches', 'users', 'conversations'] as const;
export type TableName = (typeof TABLES)[number];

/** Servers limit a string field to 1 MiB. */
const PART_CHARACTERS = 900_000;
/** A larger table is left out, and its calls are read instead. */
const MAX_PARTS = 8;

const partName = (table: TableName, part: number): string =>
  part === 0 ? table : `${table}_${part}`;

/** Columns of a table in a query. */
export function tableColumns(table: TableName): string {
  return Array.from({ length: MAX_PARTS }, (_, part) => name(partName(table, part))).join(', ');
}

/** Fields of a table whose text (ASCII without quotes) was made by `packTable`. */
export function tableFields(table: TableName, text: string): string {
  const parts = Math.ceil(text.length / PART_CHARACTERS);
  // A shorter table leaves the last parts of the one before it: the first part says how many there are.
  if (parts === 0 || parts > MAX_PARTS) return `${table}=""`;
  return Array.from({ length: parts }, (_, part) => {
    const piece = text.slice(part * PART_CHARACTERS, (part + 1) * PART_CHARACTERS);
    return `${partName(table, part)}="${part === 0 ? `${parts}:` : ''}${piece}"`;
  }).join(',');
}

/** The text of a table from the columns of `tableColumns`; undefined where it was left out. */
export function tableText(values: readonly unknown[]): string | undefined {
  const [first] = values;
  if (typeof first !== 'string') return undefined;
  const at = first.indexOf(':');
  const parts = Number(first.slice(0, at));
  if (at === -1 || !Number.isInteger(parts) || parts > MAX_PARTS) return undefined;
  const rest = values.slice(1, parts);
  if (!rest.every((value) => typeof value === 'string')) return undefined;
  return first.slice(at + 1) + rest.join('');
}
