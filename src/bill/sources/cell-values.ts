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

/** A decimal number; `$` and spaces around it are ignored. An empty cell is undefined. */
export function numberCell(place: CellPlace): number | undefined {
  const text = place.row.get(place.column)?.replaceAll(/[\s$€£']/g, '');
  if (text === undefined) return undefined;
  // A comma is a decimal sign in one country and groups thousands in another.
  if (!/^-?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/.test(text)) {
    throw wrong(place, 'a number with a decimal point and without other separators');
  }
  return Number(text);
}

/** `2026-11-30`, a time that begins with a date, or `2026-11` for a month. */
export function dayCell(place: CellPlace): string {
  const text = place.row.get(place.column) ?? '';
  const found = /^(\d{4}-\d{2}(?:-\d{2})?)(?:[T ].*)?$/.exec(text)?.[1];
  if (found === undefined || Number.isNaN(Date.parse(found))) {
    throw wrong(place, 'a date such as 2026-11-30, or a month such as 2026-11');
  }
  return found;
}
