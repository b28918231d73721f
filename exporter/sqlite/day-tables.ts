import type { DatabaseSync } from 'node:sqlite';

/** Sums of whole days that are made once, when the day is over: they have too many rows to be kept on each write. */
export type DayKind = 'user' | 'conversation';
export const DAY_KINDS: readonly DayKind[] = ['user', 'conversation'];

const TABLES = ['usage_summed_day', 'usage_day_block', 'usage_day_bins'];

/** A call of the day was written, changed or removed: views read its calls until it is summed up again. */
export function doubtDay(database: DatabaseSync, day: bigint): void {
  database.prepare('DELETE FROM usage_summed_day WHERE day = ?').run(day);
}

export function forgetDay(database: DatabaseSync, day: bigint): void {
  for (const table of TABLES) database.prepare(`DELETE FROM ${table} WHERE day = ?`).run(day);
}

/** Removes all sums before a day. */
export function forgetDaysBefore(database: DatabaseSync, day: bigint): void {
  for (const table of TABLES) database.prepare(`DELETE FROM ${table} WHERE day < ?`).run(day);
}
