/** What spreadsheets take for the start of a formula; the full-width forms too. */
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/;
const SPECIAL = /[",\r\n]/;

/** Makes a program that guesses read UTF-8. */
export const CSV_BYTE_ORDER_MARK = '\uFEFF';

/**
 * One line of RFC 4180. Text that a spreadsheet would run as a formula gets a leading apostrophe;
 * numbers stay numbers, unknown stays empty.
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
