// @ts-check
import { startOf } from './period.js';

/**
 * Values per bucket of the period, from a summary grouped by its unit.
 *
 * @param {readonly import('./usage-api.js').Row[]} rows
 * @param {import('./period.js').Period} period
 * @param {(row: import('./usage-api.js').Row) => number | undefined} valueOf
 * @returns {(number | undefined)[]} undefined if the bucket has no call with this value
 */
export function bucketValues(rows, { unit, starts }, valueOf) {
  const byStart = new Map(
    rows.map((row) => [startOf(unit, Date.parse(row.start ?? '')), valueOf(row)]),
  );
  return starts.map((start) => byStart.get(start));
}

/** @param {readonly (number | undefined)[]} values */
export function sumOf(values) {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0);
}
