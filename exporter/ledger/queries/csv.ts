/** Characters that start a formula in spreadsheets, including full-width forms. */
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/;
const SPECIAL = /[",\r\n]/;

/** Byte order mark, for programs that guess the encoding. */
export const CSV_BYTE_ORDER_MARK = '\uFEFF';

/**
 * One line of CSV (RFC 4180). Text that a spreadsheet would evaluate as a formula gets a leading
 * apostrophe. Unknown values are empty.
 */
export function csvLine(values: readonly (string | number | boolean | null | undefined)[]): string {
  return `${values.map(cell).join(',')}\r\n`;
}

function cell(value: string | number | boolean | null | undefined): string {
  if (value === null || value === undefined) return '';
  if (typeof value !== 'string') return String(value);
  const safe = FORMULA.test(value) ? `'${value}` : value;
  return SPECIAL.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
