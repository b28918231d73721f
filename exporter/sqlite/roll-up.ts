import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import { unitName, unitsOf, type UsageUnit } from '../../src/domain/billed-usage.ts';
import type { UsageRecord } from '../../src/domain/usage-record.ts';
import { sumsOfRecord } from '../ledger/queries/record-sums.ts';
import { dimensionsJson, timeToNs } from './stored-record.ts';
import { doubtDay, forgetDay, forgetDaysBefore } from './day-tables.ts';
import { firstCallHour } from './kept-from.ts';
import { SUM_COLUMNS, SUMS, SUMS_OF_CALLS } from './sums.ts';

/** Sums kept beside the calls, so that long ranges need not walk over every call. */
export interface RollUp {
  readonly table: string;
  /** Column of the cell's number since 1970, in UTC. */
  readonly unit: string;
  readonly ns: bigint;
}

export const HOURS: RollUp = { table: 'usage_hour', unit: 'hour', ns: 3_600_000_000_000n };
export const DAYS: RollUp = { table: 'usage_day', unit: 'day', ns: 86_400_000_000_000n };

/** What a record adds to its cells. */
interface Addend {
  /** Of the cell, without its hour or day. */
  readonly cell: readonly string[];
  readonly ns: bigint;
  readonly sums: readonly (number | null)[];
}

type Cell = { readonly key: readonly SQLInputValue[]; readonly sums: (number | null)[] };

function sumsOf(record: UsageRecord): (number | null)[] {
  const sums = sumsOfRecord(record);
  return SUMS.map(({ name }) => sums[name] ?? null);
}

const KEY = 'service, provider, model, outcome, team, dimensions';
const KEY_OF_CALLS =
  "service, provider, model, outcome, ifnull(team, '') AS team_key, ifnull(dimensions, '') AS dimensions_key";
/** The cell and its key, by their places in a SELECT. */
const GROUPS = '1, 2, 3, 4, 5, 6, 7';

const upsertInto = ({ table, unit }: RollUp): string => `
INSERT INTO ${table} (${unit}, ${KEY}, ${SUM_COLUMNS})
VALUES (?, ?, ?, ?, ?, ?, ?, ${SUMS.map(() => '?').join(', ')})
ON CONFLICT DO UPDATE SET ${SUMS.map(
  ({ column }) =>
    `${column} = iif(excluded.${column} IS NULL, ${column}, ifnull(${column}, 0) + excluded.${column})`,
).join(', ')}`;

/** Adds records that were just inserted to their cells; call it inside their transaction. */
export function addToRollUps(database: DatabaseSync, records: readonly UsageRecord[]): void {
  const calls = records.map((record) => ({
    cell: keyOf(record),
    ns: timeToNs(record.time),
    sums: sumsOf(record),
  }));
  for (const rollUp of [HOURS, DAYS]) addTo(database, rollUp, calls);
  const hours = new Set(calls.map(({ ns }) => ns / HOURS.ns));
  const revise = database.prepare(`INSERT INTO usage_hour_revision VALUES (?, 1) ${REVISE}`);
  for (const hour of hours) revise.run(hour);
  for (const day of new Set([...hours].map((hour) => hour / 24n))) doubtDay(database, day);
  addUnits(database, records);
}

/** Readers ask for the sums of these units only: most ledgers have none. */
function addUnits(database: DatabaseSync, records: readonly UsageRecord[]): void {
  const units = new Set(records.flatMap((record) => Object.keys(unitsOf(record) ?? {})));
  if (units.size === 0) return;
  const add = database.prepare('INSERT OR IGNORE INTO usage_unit (name) VALUES (?)');
  for (const unit of units) add.run(unitName(unit as UsageUnit));
}

/** Tells readers that sums of these calls are no longer right. A revision only ever grows. */
const REVISE = 'ON CONFLICT (hour) DO UPDATE SET revision = revision + 1';

/** The same for all hours of a range that have sums. */
export function reviseHours(database: DatabaseSync, fromHour: bigint, toHour: bigint): void {
  database
    .prepare(
      `INSERT INTO usage_hour_revision
       SELECT DISTINCT hour, 1 FROM usage_hour WHERE hour >= ? AND hour < ? ${REVISE}`,
    )
    .run(fromHour, toHour);
}

function keyOf(record: UsageRecord): readonly string[] {
  const { service, provider, requestModel, outcome, team = '' } = record;
  const dimensions = dimensionsJson(record.dimensions) ?? '';
  return [service, provider, requestModel, outcome, team, dimensions];
}

function addTo(database: DatabaseSync, rollUp: RollUp, calls: readonly Addend[]): void {
  const cells = new Map<string, Cell>();
  for (const { cell: rest, ns, sums } of calls) {
    const key = [ns / rollUp.ns, ...rest];
    const name = key.join('\u0000');
    const cell = cells.get(name);
    if (cell === undefined) {
      cells.set(name, { key, sums: [...sums] });
      continue;
    }
    for (const [index, value] of sums.entries()) {
      if (value !== null) cell.sums[index] = (cell.sums[index] ?? 0) + value;
    }
  }
  const upsert = database.prepare(upsertInto(rollUp));
  for (const { key, sums } of cells.values()) upsert.run(...key, ...sums);
}

/** Makes all cells that hold a moment of the range anew: hours from calls where there still are any, days from hours. */
export function rebuildRollUps(database: DatabaseSync, fromNs: bigint, toNs: bigint): void {
  const firstHour = firstCallHour(database);
  const [askedHour, toHour] = [fromNs / HOURS.ns, toNs / HOURS.ns + 1n];
  const fromHour = askedHour < firstHour ? firstHour : askedHour;
  if (fromHour >= toHour) return;
  // Hours that lose their last call, and below those that get their first.
  reviseHours(database, fromHour, toHour);
  database.prepare('DELETE FROM usage_hour WHERE hour >= ? AND hour < ?').run(fromHour, toHour);
  database
    .prepare(
      `INSERT INTO usage_hour (hour, ${KEY}, ${SUM_COLUMNS})
       SELECT time_ns / ${HOURS.ns}, ${KEY_OF_CALLS}, ${SUMS_OF_CALLS}
       FROM usage WHERE time_ns >= ? AND time_ns < ? GROUP BY ${GROUPS}`,
    )
    .run(fromHour * HOURS.ns, toHour * HOURS.ns);
  reviseHours(database, fromHour, toHour);
  rebuildDays(database, fromHour / 24n, toNs / DAYS.ns + 1n);
}

/** Removes all cells before an hour, and says whether there were any; its day keeps what is left of it. */
export function removeBefore(database: DatabaseSync, hour: bigint): boolean {
  reviseHours(database, 0n, hour);
  const { changes } = database.prepare('DELETE FROM usage_hour WHERE hour < ?').run(hour);
  // Calls of hours whose sums went earlier go in further steps.
  database
    .prepare('UPDATE usage_hour_revision SET revision = revision + 1 WHERE hour < ?')
    .run(hour);
  const day = hour / 24n;
  database.prepare('DELETE FROM usage_day WHERE day < ?').run(day);
  forgetDaysBefore(database, day);
  if (hour % 24n !== 0n) rebuildDays(database, day, day + 1n);
  return changes > 0;
}

function rebuildDays(database: DatabaseSync, fromDay: bigint, toDay: bigint): void {
  database.prepare('DELETE FROM usage_day WHERE day >= ? AND day < ?').run(fromDay, toDay);
  database
    .prepare(
      `INSERT INTO usage_day (day, ${KEY}, ${SUM_COLUMNS})
       SELECT hour / 24, ${KEY}, ${SUMS.map(({ column }) => `sum(${column})`).join(', ')}
       FROM usage_hour WHERE hour >= ? AND hour < ? GROUP BY ${GROUPS}`,
    )
    .run(fromDay * 24n, toDay * 24n);
  // Rows of an erased user must not stay in them.
  for (let day = fromDay; day < toDay; day++) forgetDay(database, day);
}
