import type { Column } from './column.ts';

/** What a spreadsheet would take for a formula. */
const FORMULA = /^[=+\-@\t\r]/;

function cellOf(value: string | number | undefined): string {
  if (typeof value !== 'string') return String(value ?? '');
  const safe = FORMULA.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Saves the rows of a table as a file for spreadsheets. */
export function csvFile<R>(name: string, columns: readonly Column<R>[], rows: readonly R[]): void {
  const saved = columns.filter(({ value }) => value !== undefined);
  const lines = [
    saved.map(({ label }) => cellOf(label)),
    ...rows.map((row) => saved.map(({ value }) => cellOf(value?.(row)))),
  ];
  // Spreadsheets take the byte order mark as the sign of UTF-8.
  const text = `\uFEFF${lines.map((line) => `${line.join(',')}\r\n`).join('')}`;
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type: 'text/csv' }));
  link.download = `${name}.csv`;
  link.click();
  URL.revokeObjectURL(link.href);
}
