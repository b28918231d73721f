import { TokenMeterError } from '../../errors.ts';
import type { CsvRow } from './csv-table.ts';

/** Converts an amount to US dollars; throws for a currency without a rate. */
export type ToUsd = (amount: number, currency: string) => number;

/** Where a cell is, for messages. */
export interface CellPlace {
  readonly file: string;
  readonly row: CsvRow;
  readonly column: string;
}

function wrong({ file, row, column }: CellPlace, allowed: string): TokenMeterError {
  const value = row.get(column);
  return new TokenMeterError(
    'INVALID_OPTION',
    `${file}, line ${row.line}: ${column} is ${JSON.stringify(value ?? '')}; it must be ${allowed}`,
    { value, allowed },
  );
}

const SIGNS: ReadonlyMap<string, string> = new Map([
  ['$', 'USD'],
  ['€', 'EUR'],
  ['£', 'GBP'],
]);

/** The currency that an amount names by its sign, such as `€ 1.50`. */
export function currencyOfCell({ row, column }: CellPlace): string | undefined {
  const text = row.get(column) ?? '';
  return [...SIGNS].find(([sign]) => text.includes(sign))?.[1];
}

/** A decimal number; the sign of a currency and spaces around it are ignored. An empty cell is undefined. */
export function numberCell(place: CellPlace): number | undefined {
  const text = place.row.get(place.column)?.replaceAll(/[\s$€£']/g, '');
  if (text === undefined) return undefined;
  // A comma is a decimal sign in one country and groups thousands in another.
  if (!/^-?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/.test(text)) {
    throw wrong(place, 'a number with a decimal point and without other separators');
  }
  return Number(text);
}

const DAY = /^\d{4}-\d{2}(?:-\d{2})?(?=$|[T ])/;
const TIME =
  /^[T ](?<clock>\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?) ?(?<zone>Z|UTC|GMT|[+-]\d{2}:?(?:\d{2})?)?$/i;

/**
 * The day in UTC of `2026-11-30` or a time such as `2026-11-30T00:30:00+02:00`, or `2026-11` for a month. A time
 * without an offset is one of UTC.
 */
export function dayCell(place: CellPlace): string {
  const text = place.row.get(place.column) ?? '';
  const date = DAY.exec(text)?.[0];
  const rest = text.slice(date?.length ?? 0);
  const time = rest === '' ? undefined : TIME.exec(rest)?.groups;
  const isDay = date !== undefined && isCalendarDate(date);
  if (!isDay || (rest !== '' && (time === undefined || date.length === 7))) {
    throw wrong(
      place,
      'a date such as 2026-11-30, a time such as 2026-11-30T08:00:00+02:00, or a month such as 2026-11',
    );
  }
  const offset = offsetMinutes(time?.['zone']);
  if (offset === 0) return date;
  const [hours = 0, minutes = 0] = (time?.['clock'] ?? '').split(':').map(Number);
  const utcMs = Date.parse(date) + (hours * 60 + minutes - offset) * 60_000;
  return new Date(utcMs).toISOString().slice(0, 10);
}

/** `Date` would take 30 February for 2 March. */
function isCalendarDate(date: string): boolean {
  const time = new Date(date);
  return !Number.isNaN(time.getTime()) && time.toISOString().startsWith(date);
}

/** Minutes ahead of UTC. */
function offsetMinutes(zone: string | undefined): number {
  const [, sign, hours, minutes = '0'] = /^([+-])(\d{2}):?(\d{2})?$/.exec(zone ?? '') ?? [];
  const ahead = Number(hours ?? 0) * 60 + Number(minutes);
  return sign === '-' ? -ahead : ahead;
}
